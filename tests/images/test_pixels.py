import io
import random
import warnings
import zlib

import pytest

from lib_trainer.core.errors import ConfigError, DataError

pytestmark = pytest.mark.engine
pytest.importorskip("PIL")

from PIL import Image  # noqa: E402

from lib_trainer.images.buckets import crop_to  # noqa: E402
from lib_trainer.images.pixels import PIXEL_LIMIT, PictureError, colour, measure, open_picture, open_with_mask  # noqa: E402

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
LOSSLESS = {"JPEG": {"quality": 100, "subsampling": "4:4:4"}, "WEBP": {"lossless": True}, "AVIF": {"quality": 100}}


def corners(size=(48, 32)):
    """Red top left, green top right, blue bottom left, white bottom right."""
    image = Image.new("RGB", size, "white")
    half = size[0] // 2, size[1] // 2
    image.paste(RED, (0, 0, *half))
    image.paste(GREEN, (half[0], 0, size[0], half[1]))
    image.paste(BLUE, (0, half[1], half[0], size[1]))
    return image


def near(pixel, expected, within=6):
    return all(abs(got - want) <= within for got, want in zip(pixel, expected, strict=True))


def noise(size, mode="RGB"):
    chance = random.Random(1)
    bands = len(mode) if mode != "P" else 1
    return Image.frombytes(mode, size, bytes(chance.randrange(256) for _ in range(size[0] * size[1] * bands)))


# The turn that a viewer makes for each EXIF orientation, in other words than Pillow's: where the stored top left goes.
STORED_TOP_LEFT = {
    1: "top left",
    2: "top right",
    3: "bottom right",
    4: "bottom left",
    5: "top left",
    6: "top right",
    7: "bottom right",
    8: "bottom left",
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_exif_rotation_is_applied(tmp_path, kind, orientation):
    path = tmp_path / "photo"
    exif = Image.Exif()
    exif[0x0112] = orientation
    corners().save(path, kind, exif=exif, **LOSSLESS.get(kind, {}))
    image = open_picture(path, "white")
    lying = orientation >= 5
    assert image.size == measure(path) == ((32, 48) if lying else (48, 32))
    width, height = image.size
    places = {
        "top left": (4, 4),
        "top right": (width - 5, 4),
        "bottom left": (4, height - 5),
        "bottom right": (width - 5, height - 5),
    }
    assert near(image.getpixel(places[STORED_TOP_LEFT[orientation]]), RED)
    opposite = {"top left": "bottom right", "top right": "bottom left"}
    opposite |= {there: here for here, there in opposite.items()}
    assert near(image.getpixel(places[opposite[STORED_TOP_LEFT[orientation]]]), (255, 255, 255))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "BMP", "TIFF", "GIF"])
def test_each_format_opens_in_rgb(tmp_path, kind):
    path = tmp_path / "picture"
    corners().save(path, kind, **LOSSLESS.get(kind, {}))
    image, mask = open_with_mask(path, "black")
    assert (image.mode, image.size, mask) == ("RGB", (48, 32), None)
    assert near(image.getpixel((4, 4)), RED)
    assert near(image.getpixel((44, 4)), GREEN)
    assert near(image.getpixel((4, 28)), BLUE)


@pytest.mark.parametrize(
    ("mode", "kind"), [("1", "PNG"), ("L", "PNG"), ("P", "PNG"), ("CMYK", "JPEG"), ("CMYK", "TIFF")]
)
def test_other_kinds_of_pixels_become_rgb(tmp_path, mode, kind):
    path = tmp_path / "picture"
    image = Image.new("RGB", (16, 16), "white")
    image.paste("black", (0, 0, 8, 16))
    image.convert(mode).save(path, kind)
    opened = open_picture(path, "red")
    assert opened.mode == "RGB"
    assert near(opened.getpixel((2, 8)), (0, 0, 0))
    assert near(opened.getpixel((14, 8)), (255, 255, 255))


@pytest.mark.parametrize(("mode", "kind"), [("I;16", "PNG"), ("I;16", "TIFF"), ("I;16B", "TIFF")])
def test_sixteen_bit_greys_are_scaled_and_not_clipped(tmp_path, mode, kind):
    path = tmp_path / "grey"
    values = [0, 256, 32896, 65535]
    order = "big" if mode == "I;16B" else "little"
    Image.frombytes(mode, (4, 1), b"".join(value.to_bytes(2, order) for value in values)).save(path, kind)
    opened = open_picture(path, "white")
    assert [opened.getpixel((x, 0))[0] for x in range(4)] == [0, 1, 128, 255]


def test_twelve_bit_tiffs_use_the_whole_range(tmp_path):
    (tmp_path / "grey.tif").write_bytes(twelve_bits())
    assert [open_picture(tmp_path / "grey.tif", "white").getpixel((x, 0))[0] for x in range(2)] == [0, 255]


def twelve_bits():
    """A little-endian TIFF of two 12-bit pixels, 0 and 4095, written by the specification (TIFF 6.0)."""
    tags = [(256, 3, 2), (257, 3, 1), (258, 3, 12), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1), (278, 3, 1)]
    tags.append((279, 4, 3))
    directory = len(tags).to_bytes(2, "little")
    for tag, kind, value in tags:
        directory += tag.to_bytes(2, "little") + kind.to_bytes(2, "little") + (1).to_bytes(4, "little")
        directory += value.to_bytes(4, "little")
    pixels = b"\x00\x0f\xff\x00"
    return b"II*\x00" + (12).to_bytes(4, "little") + pixels + directory + bytes(4)


def test_a_half_clear_pixel_is_half_background(tmp_path):
    path = tmp_path / "clear.png"
    image = Image.new("RGBA", (3, 1), (255, 0, 0, 255))
    image.putpixel((1, 0), (255, 0, 0, 128))
    image.putpixel((2, 0), (255, 0, 0, 0))
    image.save(path)
    opened, mask = open_with_mask(path, "#0000ff")
    assert [opened.getpixel((x, 0)) for x in range(3)] == [(255, 0, 0), (128, 0, 127), (0, 0, 255)]
    assert mask.mode == "L"
    assert [mask.getpixel((x, 0)) for x in range(3)] == [255, 128, 0]


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        *(("RGBA", kind) for kind in ("PNG", "GIF", "WEBP", "AVIF", "TIFF")),
        *(("LA", kind) for kind in ("PNG", "TIFF")),
        *(("P", kind) for kind in ("PNG", "GIF")),
    ],
)
def test_transparency_shows_the_background_whatever_the_format(tmp_path, mode, kind):
    path = tmp_path / "clear"
    if mode == "P":
        image = Image.new("P", (16, 16), 0)
        image.putpalette([10, 200, 30, 255, 255, 255])
        image.paste(1, (8, 0, 16, 16))
        image.save(path, kind, transparency=0)
    else:
        image = Image.new("RGBA", (16, 16), (255, 255, 255, 255))
        image.paste((10, 200, 30, 0), (0, 0, 8, 16))
        image.convert(mode).save(path, kind, **LOSSLESS.get(kind, {}))
    opened, mask = open_with_mask(path, "blue")
    assert near(opened.getpixel((2, 8)), BLUE)
    assert near(opened.getpixel((14, 8)), (255, 255, 255))
    assert (mask.getpixel((2, 8)), mask.getpixel((14, 8))) == (0, 255)


def test_a_palette_with_degrees_of_transparency_is_composed(tmp_path):
    path = tmp_path / "p.png"
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 255, 0, 0])
    image.putpixel((1, 0), 1)
    image.save(path, transparency=bytes([255, 51]))
    opened, mask = open_with_mask(path, "black")
    assert [opened.getpixel((x, 0)) for x in range(2)] == [(255, 0, 0), (51, 0, 0)]
    assert mask.getpixel((1, 0)) == 51


def test_the_clear_grey_of_a_sixteen_bit_png_is_clear(tmp_path):
    path = tmp_path / "g.png"
    greys = (1000).to_bytes(2, "little") + (1001).to_bytes(2, "little")
    Image.frombytes("I;16", (2, 1), greys).save(path, transparency=1000)
    opened, mask = open_with_mask(path, "red")
    assert opened.getpixel((0, 0)) == RED
    assert opened.getpixel((1, 0)) == (4, 4, 4)
    assert [mask.getpixel((x, 0)) for x in range(2)] == [0, 255]


def test_an_opaque_picture_has_no_mask(tmp_path):
    Image.new("RGBA", (4, 4), (1, 2, 3, 255)).save(tmp_path / "a.png")
    assert open_with_mask(tmp_path / "a.png", "white")[1] is None


def test_the_mask_is_turned_with_the_picture(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.new("RGBA", (4, 2), (255, 255, 255, 255))
    image.putpixel((0, 0), (0, 0, 0, 0))
    image.save(tmp_path / "a.png", exif=exif)
    opened, mask = open_with_mask(tmp_path / "a.png", "red")
    assert opened.size == mask.size == (2, 4)
    assert mask.getpixel((1, 0)) == 0
    assert opened.getpixel((1, 0)) == RED


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "PNG"])
def test_the_first_frame_of_an_animation_is_used(tmp_path, kind):
    first, second = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    first.save(tmp_path / "a", kind, save_all=True, append_images=[second], **LOSSLESS.get(kind, {}))
    assert near(open_picture(tmp_path / "a", "white").getpixel((4, 4)), RED)


def test_a_phone_picture_with_several_parts_is_its_first(tmp_path):
    path = tmp_path / "a.jpg"
    corners().save(path, "MPO", save_all=True, append_images=[Image.new("RGB", (8, 8))], quality=95)
    assert measure(path) == (48, 32)
    assert near(open_picture(path, "white").getpixel((4, 4)), RED, within=10)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("WEBP", {}),
        ("AVIF", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("GIF", {}),
    ],
)
def test_a_truncated_file_is_noticed(tmp_path, kind, how, share):
    path = tmp_path / "cut"
    noise((96, 96)).save(path, kind, **how)
    assert measure(path) == (96, 96)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(PictureError, match="damaged"):
        measure(path)
    with pytest.raises(DataError, match="cut"):
        open_picture(path, "white")


def test_an_empty_file_and_one_that_is_no_picture_are_named(tmp_path):
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("hello", encoding="utf-8")
    with pytest.raises(PictureError, match=r"empty\.png .*is empty"):
        open_picture(tmp_path / "empty.png", "white")
    with pytest.raises(PictureError, match=r"text\.png .*not a picture"):
        open_picture(tmp_path / "text.png", "white")
    with pytest.raises(PictureError, match=r"gone\.png"):
        open_picture(tmp_path / "gone.png", "white")


def png_of_size(width, height):
    """The start of a PNG file that claims to be so large."""

    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\x00\x00\x00"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(12_251, 12_251), (13_000, 13_000), (60_000, 60_000)])
def test_a_picture_above_the_pixel_limit_is_refused_before_it_is_decoded(tmp_path, size):
    assert size[0] * size[1] > PIXEL_LIMIT
    (tmp_path / "bomb.png").write_bytes(png_of_size(*size))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with pytest.raises(PictureError, match="more than 150 million pixels"):
            measure(tmp_path / "bomb.png")


def test_pixels_of_32_bits_are_refused_and_not_guessed(tmp_path):
    for mode in ("I", "F"):
        Image.new(mode, (4, 4), 1).save(tmp_path / f"{mode}.tif")
        with pytest.raises(PictureError, match="8 or 16 bits"):
            measure(tmp_path / f"{mode}.tif")


@pytest.mark.parametrize("orientation", [0, 9, 117, 65535])
def test_an_orientation_that_does_not_exist_turns_nothing(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    corners().save(tmp_path / "a.jpg", exif=exif)
    assert measure(tmp_path / "a.jpg") == open_picture(tmp_path / "a.jpg", "white").size == (48, 32)


def test_a_damaged_exif_block_does_not_lose_the_picture(tmp_path):
    corners().save(tmp_path / "a.jpg", exif=b"Exif\x00\x00not at all a TIFF header")
    assert measure(tmp_path / "a.jpg") == (48, 32)


def test_damage_at_random_places_never_ends_in_another_error(tmp_path):
    chance = random.Random(3)
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "fuzzed"
    for kind in ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "TIFF", "GIF"):
        buffer = io.BytesIO()
        corners().save(buffer, kind, **({} if kind in ("BMP", "GIF") else {"exif": exif}))
        for _ in range(60):
            data = bytearray(buffer.getvalue())
            for _ in range(chance.choice([1, 5, 30])):
                data[chance.randrange(min(len(data), chance.choice([60, 400])))] = chance.randrange(256)
            path.write_bytes(data)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    size = measure(path)
                    assert open_picture(path, "white").size == size
            except PictureError as error:
                assert str(path) in str(error)


@pytest.mark.parametrize(
    ("text", "values"), [("white", (255,) * 3), ("#ff8000", (255, 128, 0)), (" Red ", RED), ("#f00", RED)]
)
def test_colours_are_read(text, values):
    assert colour(text) == values


@pytest.mark.parametrize("text", ["whit", "", "#12", "#ff800080"])
def test_a_bad_colour_is_refused_by_name(tmp_path, text):
    corners().save(tmp_path / "a.png")
    with pytest.raises(ConfigError, match="'background'"):
        open_picture(tmp_path / "a.png", text)


def test_a_misspelt_colour_gets_a_hint():
    with pytest.raises(ConfigError, match="Did you mean 'white'"):
        colour("whit")


def test_crop_to_keeps_the_middle():
    image = corners((200, 100))
    cropped = crop_to(image, (50, 50))
    assert cropped.size == (50, 50)
    assert near(cropped.getpixel((5, 5)), RED)
    assert near(cropped.getpixel((45, 5)), GREEN)
    # By hand: Lanczos over the whole picture, then the box.
    by_hand = image.resize((100, 50), Image.Resampling.LANCZOS).crop((25, 0, 75, 50))
    differences = [abs(a - b) for a, b in zip(cropped.tobytes(), by_hand.tobytes(), strict=True)]
    assert max(differences) <= 3


def test_crop_to_without_scaling_changes_no_pixel():
    image = noise((70, 64))
    assert crop_to(image, (64, 64)).tobytes() == image.crop((3, 0, 67, 64)).tobytes()
    assert crop_to(image, (70, 64)) is image


def test_a_very_long_thin_picture_can_be_cropped():
    assert crop_to(Image.new("RGB", (30_000, 1), "red"), (512, 512)).getpixel((256, 256)) == RED
