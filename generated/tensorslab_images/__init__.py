# Made by `make generate` from the vendor's page; never edited by hand.

"""A client library for accessing 图片服务 API"""

from .client import AuthenticatedClient, Client

__all__ = (
    "AuthenticatedClient",
    "Client",
)
