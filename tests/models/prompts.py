"""Prompts whose reading is compared with the WebUI's: long ones, commas, BREAK, emphasis, brackets, emoji, none."""

from __future__ import annotations

TAGS = (
    "1girl, solo, long hair, looking at viewer, smile, blue eyes, school uniform, standing, outdoors, "
    "cherry blossoms"
)
STORY = (
    "a very long description of a quiet harbour town at dawn where fishing boats painted in faded red and green rock "
    "gently against the wooden piers while gulls circle above the lighthouse and an old man with a grey beard mends "
    "his nets beside a stack of wicker baskets full of silver herring under a sky of pale rose and gold"
)
NO_COMMA = " ".join(["mountain"] * 80)
PROMPTS = (
    "",
    " ",
    "a cat",
    "a photo of a red apple with a green leaf",
    "A Photo Of SKS Dog",
    TAGS,
    f"{TAGS}, {TAGS}",
    f"{TAGS}, {TAGS}, {TAGS}, {TAGS}, {TAGS}, {TAGS}",
    STORY,
    f"{STORY}, {STORY}, masterpiece",
    NO_COMMA,
    " ".join(["mountain"] * 74) + ", sea, sky",
    " ".join(["mountain"] * 75),
    " ".join(["mountain"] * 76),
    " ".join(["mountain"] * 54) + ", " + " ".join(["river"] * 30),
    " ".join(["mountain"] * 53) + ", " + " ".join(["river"] * 30),
    ",".join(["tag"] * 90),
    "a cat BREAK a dog",
    "a cat BREAK BREAK a dog",
    "BREAK",
    "a cat BREAK",
    "a BREAKdance, breaks and BREAK\nlines",
    f"{TAGS} BREAK {STORY} BREAK end",
    "a (red) apple",
    "a ((very red)) apple",
    "a (red:1.5) apple and a [green] pear",
    "a [[faded]] drawing, (bold lines:0.4), (gold:-0.5)",
    "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
    r"1girl, ganyu \(genshin impact\), \[brackets\], back\\slash and lone \ one",
    "(unbalanced, and more",
    "not closed [here and ) there ] too )",
    "(nested [brackets (of ((all)) kinds:1.2)] here) done",
    "a (cat BREAK a dog:1.2) in brackets",
    f"({TAGS}:1.3), ({STORY}:0.8), (end)",
    "time: 12:30, ratio 16:9, (a:b:1.2), (no number:) and (:1.5)",
    "😀 a smiling 🐱 with ❤️ and 🇩🇪 flags",
    "“curly” quotes, it’s a dog’s life — with dashes… and ½ ﬁligree",
    "ｆｕｌｌ ｗｉｄｔｈ, 日本の猫, кошка, Ünïcödé naïve café",
    "tom &amp; jerry &lt;3, a\ttab,  two  spaces\nand a line",
    f"({NO_COMMA}:1.1) (sea), [sky]",
)
