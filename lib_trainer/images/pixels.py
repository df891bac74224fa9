"""Opening one picture as it is meant to be seen: upright, in 8-bit RGB, its transparency on a colour of choice."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageColor, UnidentifiedImageError

from lib_trainer.core.errors import ConfigError, DataError
from lib_trainer.core.registry import did_you_mean

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "TIFF", "GIF")
# Larger than any camera's picture that is of use here, and below the size at which Pillow itself refuses.
PIXEL_LIMIT = 150_000_000
SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", *SIXTEEN_BITS)
# What Pillow's decoders raise on damaged files, besides OSError.
DAMAGE = (
    *(SyntaxError, ValueError, RuntimeError, LookupError, ArithmeticError, TypeError, EOFError),
    *(struct.error, zlib.error),
)
ORIENTATION_TAG = 0x0112
# EXIF 2.3, tag 274: how the stored picture must be turned to be seen upright.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
FIRST_LYING_DOWN = 5  # from here on, turning swaps width and height
DRAFT_FRACTION = 8  # JPEG can be decoded at an eighth of its size; all of its bytes are read all the same
TIFF_BITS_TAG = 258


class PictureError(DataError):
    """A file that can't be used as a picture; `reason` says why, without the path."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} can't be used: {reason}.")
        self.reason = reason


def measure(path: Path) -> tuple[int, int]:
    """Width and height in pixels as the picture is seen, once all of it has proved to be decodable.

    Raises:
        PictureError: the file is empty, damaged, truncated, too large or of an unknown kind.
    """
    _, size, orientation = _decode(path, smallest=0)
    return _upright(size, orientation)


def open_picture(path: Path, background: str) -> Image.Image:
    """The first frame of a picture in RGB, upright, with `background` behind what is transparent.

    Raises:
        PictureError: as `measure`.
        ConfigError: `background` is not a colour.
    """
    return open_with_mask(path, background)[0]


def open_with_mask(path: Path, background: str) -> tuple[Image.Image, Image.Image | None]:
    """As `open_picture`, and the opacity of each pixel (mode L, 255 is opaque), or None if all of it is opaque."""
    behind = colour(background)
    image, _, orientation = _decode(path)
    return _as_seen(image, orientation, behind)


def open_small(path: Path, background: str, side: int) -> tuple[Image.Image, tuple[int, int]]:
    """As `open_picture`, but no longer than `side` pixels and decoded quickly; and the size that `measure` gives.

    Raises:
        PictureError, ConfigError: as `open_picture`.
    """
    behind = colour(background)
    image, size, orientation = _decode(path, smallest=side)
    small, _ = _as_seen(image, orientation, behind)
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return small, _upright(size, orientation)


@dataclass(frozen=True)
class Seen:
    """A picture as it is seen, of limited size; `size` is what `measure` gives, `opacity` as `open_with_mask`.

    `is_turned` is whether its file asks viewers to turn it.
    """

    image: Image.Image
    size: tuple[int, int]
    opacity: Image.Image | None
    is_turned: bool


def see(path: Path, background: str, side: int) -> Seen:
    """A picture of at most `side` pixels, decoded quickly, with what its file tells besides.

    Raises:
        PictureError, ConfigError: as `open_picture`.
    """
    behind = colour(background)
    image, size, orientation = _decode(path, smallest=side)
    seen, opacity = _as_seen(image, orientation, behind)
    seen.thumbnail((side, side), Image.Resampling.LANCZOS)
    return Seen(seen, _upright(size, orientation), opacity, orientation in TURNS)


def _upright(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    width, height = size
    return (height, width) if orientation >= FIRST_LYING_DOWN else (width, height)


def _as_seen(
    image: Image.Image, orientation: int, behind: tuple[int, int, int]
) -> tuple[Image.Image, Image.Image | None]:
    """Upright, in RGB on the background, with its opacity."""
    if orientation in TURNS:
        image = image.transpose(TURNS[orientation])
    rgb, opacity = _sixteen_bits(image) if image.mode in SIXTEEN_BITS else _eight_bits(image)
    if opacity is None or opacity.getextrema()[0] == 255:
        return rgb, None
    composed = Image.new("RGB", rgb.size, behind)
    composed.paste(rgb, mask=opacity)
    return composed, opacity


def colour(background: str) -> tuple[int, int, int]:
    """Red, green and blue (0 to 255) of a colour's name or `#rrggbb`.

    Raises:
        ConfigError: it is neither.
    """
    try:
        values = ImageColor.getrgb(background.strip())
        if len(values) != 3:
            raise ValueError("a colour with opacity")
    except ValueError as error:
        hint = did_you_mean(background.lower(), list(ImageColor.colormap))
        raise ConfigError(
            f"'background' is {background!r}; it must be a colour's name, such as 'white', or #rrggbb.{hint}"
        ) from error
    return values


def _decode(path: Path, smallest: int | None = None) -> tuple[Image.Image, tuple[int, int], int]:
    """The decoded picture, its stored size, and its EXIF orientation.

    With `smallest` a JPEG may come at a fraction of its size, as long as its sides have that many pixels; with 0 the
    picture may also come in grey.
    """
    try:
        if path.stat().st_size == 0:
            raise PictureError(path, "the file is empty")
        with Image.open(path, formats=FORMATS) as image:
            size = image.size
            _check(path, image)
            if smallest is not None:
                least = (smallest, smallest) if smallest else (size[0] // DRAFT_FRACTION, size[1] // DRAFT_FRACTION)
                image.draft(None if smallest else "L", least)
            image.load()
            return image, size, _orientation(image)
    except UnidentifiedImageError as error:
        raise PictureError(path, "it is damaged, or not a picture of a known format") from error
    except Image.DecompressionBombError as error:
        raise PictureError(path, _too_large()) from error
    except MemoryError as error:
        raise PictureError(path, "there is not enough memory to decode it") from error
    except OSError as error:
        damaged = f"it is truncated or damaged ({error})"
        raise PictureError(path, damaged if error.errno is None else f"{error.strerror}") from error
    except DAMAGE as error:
        raise PictureError(path, f"it is damaged ({error})") from error


def _check(path: Path, image: Image.Image) -> None:
    if image.width * image.height > PIXEL_LIMIT:
        raise PictureError(path, f"with {image.width} x {image.height} pixels {_too_large()}")
    if image.mode not in MODES:
        raise PictureError(path, f"its pixels are of kind {image.mode!r}; save it with 8 or 16 bits a channel")


def _too_large() -> str:
    return f"it has more than {PIXEL_LIMIT // 1_000_000} million pixels; make it smaller"


def _orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(ORIENTATION_TAG, 1)
        return orientation if orientation in TURNS else 1
    except (OSError, MemoryError, *DAMAGE):
        return 1  # a picture whose EXIF block is damaged is shown as it is stored, as every viewer does


def _eight_bits(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    if not image.has_transparency_data:
        return image.convert("RGB"), None
    with_opacity = image.convert("RGBA")
    return with_opacity.convert("RGB"), with_opacity.getchannel("A")


def _sixteen_bits(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """16-bit greyscale scaled to 8 bits, where Pillow itself would clip; PNG may call one grey transparent."""
    bits = getattr(image, "tag_v2", {}).get(TIFF_BITS_TAG, (16,))[0]
    highest = 2**bits - 1
    wide = image.convert("I")
    grey = wide.point([min(255, (value * 255 + highest // 2) // highest) for value in range(65536)], "L")
    clear = image.info.get("transparency")
    opacity = wide.point([0 if value == clear else 255 for value in range(65536)], "L") if clear is not None else None
    return Image.merge("RGB", (grey, grey, grey)), opacity
