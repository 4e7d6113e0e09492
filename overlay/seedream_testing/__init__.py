"""Test an application that uses seedream: a pytest plugin, and contract checks for clients and servers."""
