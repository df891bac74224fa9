"""Our addresses in a Gradio app: who may ask, what is taken from a request, and how a reply is sent."""

from __future__ import annotations

import base64
import inspect
import json
import secrets
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from lib_trainer.core.errors import OutputError
from lib_trainer.core.units import file_size
from lib_trainer.ui.host import Host
from lib_trainer.ui.routes import UPLOAD, matched
from lib_trainer.ui.server import Server
from lib_trainer.ui.uploads import most_bytes
from lib_trainer.ui.web import Refused, Reply, Request, refusal

NAME = "lib-trainer"
PREFIX = "/trainer"
READING = ("GET", "HEAD")
MOST_JSON_BYTES = 4_000_000
PATIENCE = 4
SAFE = {"X-Content-Type-Options": "nosniff"}


def mount(app: Any, server: Server) -> None:
    """Let a Gradio app (or any Starlette one) answer our addresses; again on the same app, the new server answers."""

    async def answer(request: Any) -> Any:
        upload: list[Path] = []
        try:
            user = await _user(app, server.host, request)
            _check_origin(request.headers)
            asked = await _read(request, server.home, user, upload)
            reply = await run_in_threadpool(server.answer, asked)
            return await run_in_threadpool(_response, reply, request.headers)
        except (Refused, OutputError) as error:
            return await run_in_threadpool(_response, refusal(error), request.headers)
        except ClientDisconnect:
            return Response(status_code=400)
        finally:
            for path in upload:
                path.unlink(missing_ok=True)

    routes = app.router.routes
    routes[:] = [route for route in routes if getattr(route, "name", None) != NAME]
    # In front, because Gradio's last routes catch every address.
    methods = ["GET", "POST", "PUT", "DELETE"]
    routes.insert(0, Route(PREFIX + "/{path:path}", answer, methods=methods, name=NAME, include_in_schema=False))


async def _user(app: Any, host: Host, request: Any) -> str:
    """Who asks: an empty name where nobody has to log in. Asked anew each time, for Gradio sets `auth` late.

    Raises:
        Refused: somebody has to, and has not (401).
    """
    credentials = host.api_credentials()
    user = _basic_user(request.headers.get("authorization", ""), credentials)
    dependency, auth = getattr(app, "auth_dependency", None), getattr(app, "auth", None)
    if user is None and dependency is not None:
        found = dependency(request)
        user = await found if inspect.isawaitable(found) else found
    elif user is None and auth is not None:
        user = app.tokens.get(_token(app, request.cookies))
    elif user is None and (not credentials or hasattr(app, "tokens")):
        return ""  # the host's own page asks nobody either; without one its script API does, where it has credentials
    if user is None:
        raise Refused("You are not logged in. Open the WebUI's page and log in, then try again.", 401)
    return str(user)


def _token(app: Any, cookies: Mapping[str, str]) -> str | None:
    """What Gradio's login has left in the browser; since 4 each app has cookies of its own."""
    ending = f"-{app.cookie_id}" if hasattr(app, "cookie_id") else ""
    return cookies.get(f"access-token{ending}") or cookies.get(f"access-token-unsecure{ending}")


def _basic_user(header: str, credentials: Mapping[str, str]) -> str | None:
    """Whom a script names in its Authorization header, if the password is right."""
    kind, _, encoded = header.partition(" ")
    if not credentials or kind.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except ValueError:
        return None
    right = credentials.get(user)
    if right is None or not secrets.compare_digest(right.encode("utf-8"), password.encode("utf-8")):
        return None
    return user


def _check_origin(headers: Mapping[str, str]) -> None:
    """See that no other website asks, in the user's browser and without their knowledge; Gradio 3 lets all of them.

    Raises:
        Refused: another one does (403).
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    hosts = (headers.get("host"), headers.get("x-forwarded-host"))
    is_foreign = site == "cross-site" or (site is None and origin is not None and urlsplit(origin).netloc not in hosts)
    if is_foreign:
        said = "Another website asked this, and only the trainer's own page may. A proxy must pass on the header Host."
        raise Refused(said, 403)


async def _read(request: Any, home: Path, user: str, upload: list[Path]) -> Request:
    """What is asked; the file of an upload lies where `upload` says then.

    Raises:
        Refused: the body is of the wrong kind (415), too large (413) or no JSON (400).
        OutputError: there is no room for an upload.
    """
    method = "GET" if request.method in READING else request.method
    path = f"{PREFIX}/{request.path_params['path']}"
    asked = Request(method, path, dict(request.query_params), user=user)
    if method == "GET":
        return asked
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_upload = method == "POST" and matched(UPLOAD, path) is not None
    wanted = "application/octet-stream" if is_upload else "application/json"
    if kind != wanted:
        raise Refused(f"The request's Content-Type is {kind or 'missing'!r}; it must be {wanted}.", 415)
    if is_upload:
        await _receive(request, home / "tmp", upload, most_bytes(asked.query.get("name", "")))
        return Request(method, path, asked.query, upload=upload[0], user=user)
    body = b"".join([chunk async for chunk in _chunks(request, MOST_JSON_BYTES)])
    return Request(method, path, asked.query, await run_in_threadpool(_parsed, body), user=user)


async def _chunks(request: Any, most: int) -> AsyncIterator[bytes]:
    """The body in pieces.

    Raises:
        Refused: it is larger than that (413).
    """
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= most:
            yield chunk
        # Who is refused while still sending sees a broken connection and no sentence: hear them out, within reason.
        elif size > PATIENCE * most:
            break
    if size > most:
        raise Refused(f"That is too large; at most {file_size(most)} can be sent at once.", 413)


async def _receive(request: Any, folder: Path, upload: list[Path], most: int) -> None:
    """Write the body to a file of its own, which `upload` names from its beginning, so that it can be cleared away."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="upload-", delete=False) as file:
            upload.append(Path(file.name))
            async for chunk in _chunks(request, most):
                await run_in_threadpool(file.write, chunk)
    except OSError as error:
        raise OutputError(f"The file can't be kept in {folder} ({error}); make room, or check its rights.") from error


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_number) if body else {}
    except (ValueError, RecursionError) as error:
        raise Refused(f"The request is no JSON ({error}).") from error


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _response(reply: Reply, asked: Mapping[str, str]) -> Any:
    """A reply as Starlette sends it; a file that the browser has already is not sent again."""
    headers = {**SAFE, **reply.headers}
    if reply.file is None:
        return Response(reply.content, reply.status, headers, reply.media_type)
    try:
        stat = reply.file.stat()
    except OSError:
        return _response(refusal(Refused(f"{reply.file.name} is not there any more.", 404)), asked)
    etag = headers.setdefault("ETag", f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"')
    known = [one.strip().removeprefix("W/") for one in asked.get("if-none-match", "").split(",")]
    if etag in known:
        return Response(status_code=304, headers=headers)
    return FileResponse(reply.file, reply.status, headers, reply.media_type, stat_result=stat)
