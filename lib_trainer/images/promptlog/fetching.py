"""Fetching one file over HTTP: guarded, bounded, and going on where it broke off."""

from __future__ import annotations

import base64
import hashlib
import http.client
import math
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote, urljoin, urlsplit

from lib_trainer.core.errors import OutputError, StopRequested
from lib_trainer.images.promptlog.addresses import open_socket
from lib_trainer.images.promptlog.ledger import Ledger
from lib_trainer.images.promptlog.options import DownloadOptions
from lib_trainer.images.promptlog.outcomes import NotTaken, TryLater

BLOCK = 65_536
MOST_REDIRECTS = 5
LONGEST_WAIT = 120.0  # seconds, whatever a server asks for
SLOWEST = 20  # times the patience is the longest that one file may take
REDIRECTS = (301, 302, 303, 307, 308)
LATER = (408, 425, 429, 500, 502, 503, 504)
GONE = (404, 410)
NO_PICTURE = ("text/", "application/json", "application/xml", "application/xhtml", "video/", "audio/")
AGENT = "lib-trainer (downloads pictures that its user chose)"


@dataclass(frozen=True)
class Part:
    """Where a file arrives, and how it is known."""

    key: str
    path: Path


@dataclass(frozen=True)
class _Address:
    is_secure: bool
    host: str
    port: int
    target: str

    @classmethod
    def of(cls, link: str) -> _Address:
        try:
            parts = urlsplit(link)
            port = parts.port
            host = parts.hostname or ""
            host = host if host.isascii() else host.encode("idna").decode()
        except ValueError as error:
            raise NotTaken("its link can't be read") from error
        if parts.scheme.lower() not in ("http", "https") or not host:
            raise NotTaken("its link is no web address")
        if parts.username is not None or parts.password is not None:
            raise NotTaken("its link holds a password")
        path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
        query = f"?{quote(parts.query, safe='/%:@!$&()*+,;=~-._?[]')}" if parts.query else ""
        is_secure = parts.scheme.lower() == "https"
        return cls(is_secure, host, port or (443 if is_secure else 80), path + query)


class _Connection(http.client.HTTPConnection):
    """A connection to an address that was looked at before."""

    def __init__(self, address: _Address, seconds: float, allowed: frozenset[str], context: ssl.SSLContext) -> None:
        super().__init__(address.host, address.port, timeout=seconds)
        self._seconds, self._allowed = seconds, allowed
        self._context = context if address.is_secure else None
        self.default_port = 443 if address.is_secure else 80

    def connect(self) -> None:
        self.sock = open_socket(self.host, self.port, self._seconds, self._allowed)
        if self._context is not None:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)


class Fetcher:
    """Fetches files into parts; may be used by several threads."""

    def __init__(
        self, options: DownloadOptions, ledger: Ledger, allowed: frozenset[str], should_stop: Callable[[], bool]
    ) -> None:
        self._options, self._ledger, self._allowed, self._should_stop = options, ledger, allowed, should_stop
        self._most = int(options.most_mb * 1_000_000)
        self._context = _trusting()

    def fetch(self, link: str, part: Part) -> None:
        """Bring the whole file into the part's path; a part that is there already is gone on with.

        Raises:
            NotTaken: the server has no such file, or it is nothing that may be taken.
            TryLater: the server or the way to it failed.
            StopRequested: the part is left for another time.
            OutputError: the disk refuses.
        """
        try:
            connection, response = self._ask(link, part)
            try:
                self._receive(response, part)
            finally:
                connection.close()
        except TimeoutError as error:
            raise TryLater("its server sends nothing") from error
        except ssl.SSLCertVerificationError as error:
            raise NotTaken("its server can't prove who it is") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise TryLater("its server broke off") from error

    def _ask(self, link: str, part: Part) -> tuple[_Connection, http.client.HTTPResponse]:
        """The answer behind all redirections."""
        headers = {"User-Agent": AGENT, "Accept": "image/*", "Accept-Encoding": "identity", "Connection": "close"}
        have, validator = _size(part.path), self._ledger.validator(part.key)
        if have and validator:
            headers |= {"Range": f"bytes={have}-", "If-Range": validator}
        for _ in range(MOST_REDIRECTS + 1):
            address = _Address.of(link)
            connection = _Connection(address, self._options.patience, self._allowed, self._context)
            try:
                connection.request("GET", address.target, headers=headers)
                response = connection.getresponse()
            except BaseException:
                connection.close()
                raise
            location = response.getheader("Location")
            if response.status not in REDIRECTS or not location:
                return connection, response
            connection.close()
            link = urljoin(link, location)
        raise NotTaken("its link leads from one to the next without end")

    def _receive(self, response: http.client.HTTPResponse, part: Part) -> None:
        start = self._start(response, part)
        length = response.getheader("Content-Length")
        expected = start + int(length) if length is not None and length.isdigit() else None
        if expected is not None and expected > self._most:
            raise NotTaken(f"it is larger than {self._options.most_mb:g} MB")
        if not start:
            validator = response.getheader("ETag") or response.getheader("Last-Modified") or ""
            # A weak tag promises no equal bytes.
            self._ledger.begin_part(part.key, "" if validator.startswith("W/") else validator)
        try:
            file = part.path.open("ab" if start else "wb")
        except OSError as error:
            raise _disk(part.path, error) from error
        with file:
            got = start + self._copy(response, file, start)
        if expected is not None and got < expected:
            raise TryLater("its server broke off")
        _compare(response, part.path)

    def _start(self, response: http.client.HTTPResponse, part: Part) -> int:
        """How many bytes are here already; complains where the answer brings no picture."""
        status = response.status
        if status in LATER:
            raise TryLater(f"its server answers {status}", _wait(response.getheader("Retry-After")))
        if status in GONE:
            raise NotTaken(f"its link is dead ({status})")
        if status == 416:
            part.path.unlink(missing_ok=True)
            raise TryLater("its server has another file now")
        if status not in (200, 206):
            raise NotTaken(f"its server answers {status}")
        kind = (response.getheader("Content-Type") or "").split(";")[0].strip().lower()
        if kind.startswith(NO_PICTURE):
            raise NotTaken(f"it is {kind}, not a picture")
        if (response.getheader("Content-Encoding") or "identity").lower() != "identity":
            raise NotTaken("its server sends it packed")
        if status == 200:
            return 0
        have = _size(part.path)
        if not (response.getheader("Content-Range") or "").replace(" ", "").startswith(f"bytes{have}-"):
            part.path.unlink(missing_ok=True)
            raise TryLater("its server sent another part than it was asked for")
        return have

    def _copy(self, response: http.client.HTTPResponse, file: IO[bytes], start: int) -> int:
        """Write what arrives; how much it was."""
        end = time.monotonic() + SLOWEST * self._options.patience
        got = 0
        while block := response.read1(BLOCK):
            got += len(block)
            if start + got > self._most:
                raise NotTaken(f"it is larger than {self._options.most_mb:g} MB")
            try:
                file.write(block)
                file.flush()
            except OSError as error:
                raise _disk(Path(file.name), error) from error
            if self._should_stop():
                raise StopRequested
            if time.monotonic() > end:
                raise TryLater("its server sends too slowly")
        return got


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _disk(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{path} can't be written ({error.strerror or error}); make room there or check its rights.")


def _wait(text: str | None) -> float:
    """Seconds that a server asks us to wait; a date counts as not told."""
    try:
        wanted = float(text or 0)
    except ValueError:
        return 0.0
    return min(LONGEST_WAIT, max(0.0, wanted)) if math.isfinite(wanted) else 0.0


def _compare(response: http.client.HTTPResponse, path: Path) -> None:
    """See that the file is the one that the server says it sent, where it says so."""
    told = {"md5": response.getheader("Content-MD5") or ""}
    for item in f"{response.getheader('x-goog-hash') or ''},{response.getheader('Digest') or ''}".split(","):
        name, _, digest = item.strip().partition("=")
        told[name.lower()] = digest or told.get(name.lower(), "")
    for name, algorithm in (("md5", "md5"), ("sha-256", "sha256")):
        if told.get(name):
            found = base64.b64encode(digest_of(path, algorithm)).decode()
            if found.rstrip("=") != told[name].rstrip("="):
                path.unlink()
                raise TryLater("its checksum is not the one that its server told")


def digest_of(path: Path, algorithm: str = "sha256") -> bytes:
    """The digest of a file.

    Raises:
        OSError: what the disk said.
    """
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.digest()


def _trusting() -> ssl.SSLContext:
    """What proves a server's name: the system's certificates, or those that came with the engine."""
    context = ssl.create_default_context()
    if not context.get_ca_certs():
        import certifi

        context.load_verify_locations(certifi.where())
    return context
