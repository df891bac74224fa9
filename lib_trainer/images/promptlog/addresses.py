"""Connections to servers on the internet only: links come from strangers, and must not lead into the user's own."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from lib_trainer.images.promptlog.outcomes import NotTaken, TryLater

# Set by whoever runs the trainer, never by the page: `localhost:8000,pictures.lan`.
VARIABLE = "LIB_TRAINER_PRIVATE_HOSTS"
NAT64 = IPv6Network("64:ff9b::/96")


def told_hosts() -> frozenset[str]:
    """The hosts in the user's own network from which pictures may be taken all the same."""
    return frozenset(host.strip().lower() for host in os.environ.get(VARIABLE, "").split(",") if host.strip())


def is_public(text: str) -> bool:
    """Whether an IP address belongs to the internet, also where it wraps an older one."""
    address = ip_address(text.partition("%")[0])
    return all(each.is_global and not each.is_multicast for each in (address, *_wrapped(address)))


def _wrapped(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address]:
    if isinstance(address, IPv4Address):
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield address.teredo[1]
    if address in NAT64:
        yield IPv4Address(int(address) & 0xFFFFFFFF)


def open_socket(host: str, port: int, seconds: float, allowed: frozenset[str]) -> socket.socket:
    """A connection to the very address that was looked at: to ask for it again may give another.

    Raises:
        NotTaken: the host has an address in a private network, and is not `allowed`.
        TryLater: it is unknown, or does not answer.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # a name too long, an empty part of one
        raise TryLater(f"there is no server {host}") from error
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    is_told = host.lower() in allowed or f"{host.lower()}:{port}" in allowed
    if not is_told and not all(map(is_public, addresses)):
        raise NotTaken("it lies in a private network")
    for address in addresses:
        try:
            return socket.create_connection((address, port), seconds)
        except OSError:
            continue
    raise TryLater("its server does not answer", is_unreachable=True)
