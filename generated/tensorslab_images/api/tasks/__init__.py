# Made by `make generate` from the vendor's page; never edited by hand.
"""Contains endpoint functions for accessing the API"""
