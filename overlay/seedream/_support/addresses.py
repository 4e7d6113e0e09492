"""What a URL's host is: this machine, the public network, or neither."""

import ipaddress
from typing import Final

# Their last 32 bits are an IPv4 address: translated (RFC 6052, RFC 2765) or compatible. A mapped one Python knows.
_IPV4_INSIDE: Final = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "::ffff:0:0:0/96", "::/96")))
# Some versions of Python call these global: translation for local use (RFC 8215), Teredo, and the addresses of a site.
_NOT_PUBLIC: Final = tuple(map(ipaddress.ip_network, ("64:ff9b:1::/48", "2001::/32", "fec0::/10")))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address in a host, None for a name. An IPv4 address inside an IPv6 one counts as itself."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0].removesuffix("."))
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and any(address in network for network in _IPV4_INSIDE) and int(address) > 1:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        return inner or address
    return address


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    # Python calls some multicast addresses global.
    return address.is_global and not address.is_multicast and not any(address in network for network in _NOT_PUBLIC)


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    name = host.rstrip(".").lower()
    address = _address(name)
    return name == "localhost" or name.endswith(".localhost") if address is None else address.is_loopback


def is_private(host: str) -> bool:
    """Whether the host is written as this machine or as an address that is not on the public network."""
    address = _address(host)
    return is_loopback(host) if address is None else not _is_public(address)


def is_public_address(host: str) -> bool:
    """Whether the host is an address, and on the public network."""
    address = _address(host)
    return address is not None and _is_public(address)
