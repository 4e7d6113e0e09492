# Made by `make generate` from the vendor's page; never edited by hand.
"""Contains methods for accessing the API"""
