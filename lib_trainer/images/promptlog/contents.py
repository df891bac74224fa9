"""What a file that arrived really is, by its first bytes."""

from __future__ import annotations

FIRST = 64  # bytes that are needed
SIGNATURES = (
    (0, b"\xff\xd8\xff", ".jpg"),
    (0, b"\x89PNG\r\n\x1a\n", ".png"),
    (8, b"WEBP", ".webp"),
    (0, b"GIF87a", ".gif"),
    (0, b"GIF89a", ".gif"),
    (4, b"ftypavif", ".avif"),
    (4, b"ftypavis", ".avif"),
    (0, b"II*\0", ".tif"),
    (0, b"MM\0*", ".tif"),
    (0, b"BM", ".bmp"),
)
OTHERS = (
    (0, b"%PDF", "a PDF"),
    (0, b"PK\3\4", "an archive"),
    (0, b"\x1a\x45\xdf\xa3", "a video"),
    (4, b"ftyp", "a video"),
)


def picture_suffix(first: bytes) -> str:
    """The ending for a picture that begins so; empty for anything else."""
    return next((suffix for place, sign, suffix in SIGNATURES if first.startswith(sign, place)), "")


def what_it_is(first: bytes) -> str:
    """In words, what begins so and is no picture."""
    text = first.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<!--")):
        return "HTML"
    if text.startswith((b"<svg", b"<?xml")):
        return "XML"
    if text.startswith((b"{", b"[")):
        return "JSON"
    return next((words for place, sign, words in OTHERS if first.startswith(sign, place)), "something unknown")
