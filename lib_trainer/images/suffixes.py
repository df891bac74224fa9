"""Which files are pictures, by the endings of their names."""

from __future__ import annotations

PICTURE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".avif"),
    *(".bmp", ".dib", ".tif", ".tiff", ".gif"),
)
OTHER_PICTURE_SUFFIXES = (  # pictures that can't be read
    *(".heic", ".heif", ".jxl", ".jp2", ".psd", ".xcf", ".svg", ".tga", ".ico"),
    *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"),
)
