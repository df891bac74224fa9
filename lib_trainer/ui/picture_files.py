"""Pictures that are sent to the page: nothing else leaves the disk by a path."""

from __future__ import annotations

from pathlib import Path

from lib_trainer.ui.web import Refused, Reply

HEAD = 12  # bytes that tell what a file is


def media_type(path: Path) -> str:
    """What a picture is, by its ending and its first bytes.

    Raises:
        Refused: there is no such file (404), or it is no PNG, JPEG or WebP (403).
    """
    if not path.is_file():
        raise Refused(f"{path.name} is not there any more.", 404)
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise Refused(f"{path.name} can't be read ({error}).", 403) from error
    ending = path.suffix.lower()
    if ending == ".png" and head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if ending in (".jpg", ".jpeg") and head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if ending == ".webp" and head[:4] == b"RIFF" and head[8:] == b"WEBP":
        return "image/webp"
    raise Refused(f"{path.name} is no picture.", 403)


def picture_reply(path: Path) -> Reply:
    """The reply that sends a picture; the browser asks again each time whether it is still the same.

    Raises:
        Refused: as `media_type`.
    """
    kind = media_type(path)
    try:
        stat = path.stat()
    except OSError as error:
        raise Refused(f"{path.name} is not there any more.", 404) from error
    headers = {
        "Cache-Control": "no-cache",
        "ETag": f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Reply(media_type=kind, file=path, headers=headers)
