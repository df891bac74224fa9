"""Pictures that the doctor's tests examine: shapes with sharp edges on a soft ground, each seed another scene."""

from __future__ import annotations

from random import Random

from PIL import Image, ImageDraw, ImageFont

SIDE = 256
FINER = 4  # drawn so much larger and scaled down, so that edges are as soft as in a photo


def scene(seed, size=(SIDE, SIDE)):
    """Forty shapes in all tones."""
    random = Random(f"scene {seed}")
    wide, high = size[0] * FINER, size[1] * FINER
    image = Image.linear_gradient("L").rotate(random.choice((0, 90, 180, 270))).resize((wide, high))
    tones = [random.uniform(0.2, 0.7) for _ in "RGB"]
    image = Image.merge("RGB", [image.point([45 + round(value * tone) for value in range(256)]) for tone in tones])
    pen = ImageDraw.Draw(image)
    for _ in range(40):
        x, y = random.randrange(wide), random.randrange(high)
        across, down = (random.randrange(8 * FINER, 60 * FINER) for _ in "xy")
        is_inside = min(x, y) > wide / 16 and x + across < wide * 15 / 16 and y + down < high * 15 / 16
        shape = random.choice((pen.ellipse, pen.rectangle)) if is_inside else pen.ellipse  # straight edges make borders
        shape((x, y, x + across, y + down), fill=tuple(random.randrange(20, 235) for _ in "RGB"))
    return image.resize(size, Image.Resampling.LANCZOS)


def in_bars(image, share, colour):
    """The picture with bars above and below, each that share of its height."""
    bar = round(image.height * share)
    whole = Image.new("RGB", (image.width, image.height + 2 * bar), colour)
    whole.paste(image, (0, bar))
    return whole


def with_caption_bar(image, text="my best friend in the park"):
    """A white bar with black letters below the picture."""
    bar = image.height // 8
    whole = Image.new("RGB", (image.width, image.height + bar), "white")
    whole.paste(image, (0, 0))
    font = ImageFont.load_default(bar * 0.55)
    ImageDraw.Draw(whole).text((image.width // 2, image.height + bar // 2), text, "black", font, anchor="mm")
    return whole


def with_logo(image):
    """A pale ring and letters in the upper right corner."""
    marked = image.copy()
    pen, (x, y, radius) = ImageDraw.Draw(marked), (image.width * 0.88, image.height * 0.12, image.width * 0.08)
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill="black", outline="white", width=3)
    pen.text((x, y), "tv", "white", ImageFont.load_default(radius), anchor="mm")
    return marked
