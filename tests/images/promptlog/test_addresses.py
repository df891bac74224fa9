import socket

import pytest

from lib_trainer.images.promptlog.addresses import VARIABLE, is_public, open_socket, told_hosts
from lib_trainer.images.promptlog.outcomes import NotTaken, TryLater


@pytest.mark.parametrize("address", ["8.8.8.8", "162.159.130.233", "2606:4700::6810:84e5", "64:ff9b::808:808"])
def test_addresses_of_the_internet_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize("address", [
    "127.0.0.1", "127.8.8.8", "10.0.0.5", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "255.255.255.255", "224.0.0.1", "::1", "::", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "2002:7f00:1::", "64:ff9b::7f00:1", "ff02::1",
])  # fmt: skip
def test_addresses_of_a_private_network_are_not(address):
    assert not is_public(address)


def resolving(monkeypatch, *addresses):
    """Each name leads to these addresses from now on; connections are told instead of made."""
    connected = []
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket, "create_connection", lambda address, _: connected.append(address) or "connected")
    return connected


def test_a_name_that_leads_into_the_private_network_is_refused(monkeypatch):
    connected = resolving(monkeypatch, "8.8.8.8", "192.168.0.1")
    with pytest.raises(NotTaken, match="private network"):
        open_socket("innocent.example", 80, 1, frozenset())
    assert connected == []


def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch):
    connected = resolving(monkeypatch, "8.8.8.8")
    assert open_socket("innocent.example", 443, 1, frozenset()) == "connected"
    assert connected == [("8.8.8.8", 443)]


@pytest.mark.parametrize("text", ["localhost", "127.1", "2130706433", "0x7f000001"])
def test_other_spellings_of_this_computer_are_refused(text):
    with pytest.raises((NotTaken, TryLater)):
        open_socket(text, 9, 1, frozenset())


def test_hosts_are_excepted_by_the_environment_only(monkeypatch):
    assert told_hosts() == frozenset()
    monkeypatch.setenv(VARIABLE, "Pictures.lan, localhost:8000")
    assert told_hosts() == {"pictures.lan", "localhost:8000"}
    resolving(monkeypatch, "192.168.0.1")
    assert open_socket("localhost", 8000, 1, told_hosts()) == "connected"
    assert open_socket("PICTURES.lan", 1, 1, told_hosts()) == "connected"
    with pytest.raises(NotTaken):
        open_socket("localhost", 8001, 1, told_hosts())
