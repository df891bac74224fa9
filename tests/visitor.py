"""Asks a running page as a browser or a script would, but sends every address exactly as it is written."""

from __future__ import annotations

import gzip
import http.client
import json
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit


@dataclass
class Answer:
    """What came back; `data` is the content read as JSON."""

    status: int
    content: bytes
    headers: dict[str, str]

    @property
    def data(self):
        return json.loads(self.content)

    @property
    def text(self):
        return self.content.decode("utf-8", errors="replace")


@dataclass
class Visitor:
    """One visitor of the page at `address`; the login is kept in `cookie`."""

    address: str
    cookie: str = ""
    seconds: float = 30.0
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method, path, body=None, **headers):
        """Send a request; a body that is not bytes goes as JSON."""
        place = urlsplit(self.address)
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=self.seconds)
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.cookie:
            sent["Cookie"] = self.cookie
        if body is not None and not isinstance(body, bytes):
            body, sent = json.dumps(body).encode("utf-8"), {"Content-Type": "application/json", **sent}
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in {**sent, "Content-Length": str(len(body or b""))}.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            reply = connection.getresponse()
            content = reply.read()
        finally:
            connection.close()
        told = {name.lower(): value for name, value in reply.getheaders()}
        if told.get("content-encoding") == "gzip":
            content = gzip.decompress(content)
        return Answer(reply.status, content, told)

    def get(self, path, **headers):
        """GET, from /trainer/api/ on where the path does not begin with a slash."""
        return self.ask("GET", path if path.startswith("/") else f"/trainer/api/{path}", **headers)

    def post(self, path, body=None):
        """POST of JSON."""
        return self.ask("POST", f"/trainer/api/{path}", {} if body is None else body)

    def login(self, user, password):
        """Log in with Gradio's own form; whether it let us in."""
        body = urlencode({"username": user, "password": password}).encode()
        answer = self.ask("POST", "/login", body, Content_Type="application/x-www-form-urlencoded")
        self.cookie = answer.headers.get("set-cookie", "").partition(";")[0]
        return answer.status == 200

    def wait_until_it_answers(self, process, seconds=60.0):
        """Until our routes answer; fails when its process ends first."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert process.poll() is None, f"the page ended with {process.returncode}"
            try:
                if self.get("about").status in (200, 401):
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"{self.address} did not answer within {seconds:g} s")
