"""A small server of pictures on this computer that stalls, breaks off and lies, the same way for the same link."""

from __future__ import annotations

import hashlib
import io
import random
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

# What a link does, by the remainder of its digest; the rest answers as it should.
MANNERS = {
    0: "dead", 1: "html", 2: "html as picture", 3: "empty", 4: "truncated", 5: "stalls once", 6: "breaks once",
    7: "busy once", 8: "redirect", 9: "redirect without end", 10: "into the network", 11: "too large", 12: "endless",
    13: "other range", 14: "no range", 15: "wrong checksum once", 16: "forbidden", 17: "packed", 18: "json",
    19: "changes once",
}  # fmt: skip
OUT_OF = 60
NEVER = {
    "dead", "html", "html as picture", "empty", "truncated", "redirect without end", "into the network", "too large",
    "endless", "forbidden", "packed", "json",
}  # fmt: skip
STALL_SECONDS = 3.0


def manner(path: str) -> str:
    """What the link of this path does."""
    if path.startswith("/loop/"):
        return "redirect without end"
    return MANNERS.get(int(hashlib.sha256(path.encode()).hexdigest(), 16) % OUT_OF, "")


def picture(path: str) -> bytes:
    """The picture at this path."""
    chance = random.Random(path)
    colours = [tuple(chance.randrange(256) for _ in range(3)) for _ in range(2)]
    image = Image.new("RGB", (96, 80), colours[0])
    image.paste(colours[1], (8, 8, 60, 40))
    if chance.random() < 0.2:
        image.frombytes(chance.randbytes(96 * 80 * 3))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


class LyingServer(ThreadingHTTPServer):
    """Serves until the block ends; `url` is its address, `asked` how often each path was asked for."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, is_honest: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.is_honest = is_honest
        self.asked: Counter[str] = Counter()
        self.ranges: list[str] = []
        self.hold = 0.0  # seconds before anything is answered; so long a request counts for those at once
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()
        self.is_over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> LyingServer:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go are nothing to be told."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: LyingServer

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        with self.server.lock:
            self.server.asked[path] += 1
            asked = self.server.asked[path]
            self.server.at_once += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
        time.sleep(self.server.hold)
        with self.server.lock:
            self.server.at_once -= 1
        try:
            kind = "" if self.server.is_honest or path.startswith("/plain/") else manner(path)
            getattr(self, "_" + kind.replace(" ", "_"), self._plain)(path, asked)
        finally:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""

    def _send(self, body: bytes, kind: str = "image/png", status: int = 200, **headers: str) -> None:
        self.send_response(status)
        named = {"Content-Type": kind, "Content-Length": str(len(body)), **headers}
        for name, value in named.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _plain(self, path: str, asked: int, takes_ranges: bool = True) -> None:
        body, tag = picture(path), f'"{hashlib.sha256(path.encode()).hexdigest()[:12]}"'
        wanted = self.headers.get("Range", "")
        if takes_ranges and wanted and self.headers.get("If-Range") == tag:
            self.server.ranges.append(wanted)
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            content_range = f"bytes {start}-{len(body) - 1}/{len(body)}"
            self._send(body[start:], status=206, ETag=tag, Content_Range=content_range)
        else:
            self._send(body, ETag=tag)

    def _half(self, path: str, tag: bool = True) -> None:
        body = picture(path)
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Content-Length", str(len(body)))
        if tag:
            self.send_header("ETag", f'"{hashlib.sha256(path.encode()).hexdigest()[:12]}"')
        self.end_headers()
        self.wfile.write(body[: len(body) // 2])
        self.wfile.flush()

    def _dead(self, path: str, asked: int) -> None:
        self._send(b"This content is no longer available.", "text/plain", 404)

    def _forbidden(self, path: str, asked: int) -> None:
        self._send(b"no", "text/plain", 403)

    def _html(self, path: str, asked: int) -> None:
        self._send(b"<!DOCTYPE html><p>Log in", "text/html; charset=utf-8")

    def _html_as_picture(self, path: str, asked: int) -> None:
        self._send(b"<!DOCTYPE html><p>Log in")

    def _json(self, path: str, asked: int) -> None:
        self._send(b'{"error": "unknown"}', "application/octet-stream")

    def _empty(self, path: str, asked: int) -> None:
        self._send(b"")

    def _truncated(self, path: str, asked: int) -> None:
        self._send(picture(path)[:-40])

    def _stalls_once(self, path: str, asked: int) -> None:
        if asked > 1:
            return self._plain(path, asked)
        self._half(path)
        self.server.is_over.wait(STALL_SECONDS)
        return None

    def _breaks_once(self, path: str, asked: int) -> None:
        self._half(path) if asked == 1 else self._plain(path, asked)

    def _busy_once(self, path: str, asked: int) -> None:
        self._send(b"", "text/plain", 503, Retry_After="0.2") if asked == 1 else self._plain(path, asked)

    def _redirect(self, path: str, asked: int) -> None:
        self._send(b"", "text/plain", 302, Location="/plain" + path)

    def _redirect_without_end(self, path: str, asked: int) -> None:
        self._send(b"", "text/plain", 301, Location=f"/loop{path}")

    def _into_the_network(self, path: str, asked: int) -> None:
        self._send(b"", "text/plain", 302, Location=f"http://127.0.0.2:{self.server.server_address[1]}/plain{path}")

    def _too_large(self, path: str, asked: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Content-Length", str(10**12))
        self.end_headers()

    def _endless(self, path: str, asked: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        block = b"\x89PNG\r\n\x1a\n" + bytes(65_536)
        while not self.server.is_over.is_set():
            self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block))
            time.sleep(0.001)

    def _other_range(self, path: str, asked: int) -> None:
        if asked == 1:
            return self._half(path)
        body = picture(path)
        if asked == 2 and self.headers.get("Range"):
            return self._send(body[3:], status=206, Content_Range=f"bytes 3-{len(body) - 1}/{len(body)}")
        return self._plain(path, asked)

    def _no_range(self, path: str, asked: int) -> None:
        self._half(path) if asked == 1 else self._plain(path, asked, takes_ranges=False)

    def _wrong_checksum_once(self, path: str, asked: int) -> None:
        self._send(picture(path), Content_MD5="AAAAAAAAAAAAAAAAAAAAAA==") if asked == 1 else self._plain(path, asked)

    def _packed(self, path: str, asked: int) -> None:
        self._send(picture(path), Content_Encoding="gzip")

    def _changes_once(self, path: str, asked: int) -> None:
        """The first half is of another file, as its tag says."""
        if asked > 1:
            return self._plain(path, asked)
        self.send_response(200)
        self.send_header("Content-Length", "5000")
        self.send_header("ETag", '"another"')
        self.end_headers()
        self.wfile.write(b"\x89PNG\r\n\x1a\n" + bytes(300))
        return None
