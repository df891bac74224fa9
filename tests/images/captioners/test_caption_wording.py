"""A sentence, tags and a trigger become one caption, and find their place in one that is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_trainer.core.errors import ConfigError
from lib_trainer.images.captioners.options import WordingOptions
from lib_trainer.images.captioners.wording import Said, added, worded

SAID = Said("a girl under a tree", ("1girl", "tree"))
PICTURE = Path("photos/ohwx woman/one.png")


@pytest.mark.option("WordingOptions.trigger", "WordingOptions.order", "WordingOptions.template")
@pytest.mark.parametrize(
    ("options", "said", "expected"),
    [
        ({}, SAID, "a girl under a tree, 1girl, tree"),
        ({"order": "tags first"}, SAID, "1girl, tree, a girl under a tree"),
        ({"trigger": "ohwx"}, SAID, "ohwx, a girl under a tree, 1girl, tree"),
        ({"trigger": "Tree"}, Said("", ("1girl", "tree")), "Tree, 1girl"),
        ({"trigger": "a girl"}, SAID, "a girl under a tree, 1girl, tree"),
        ({"trigger": "a gir"}, SAID, "a gir, a girl under a tree, 1girl, tree"),
        ({"trigger": "ohwx"}, Said(), "ohwx"),
        ({"template": "photo of {trigger}: {tags}, {caption}."}, SAID, "photo of : 1girl, tree, a girl under a tree."),
        ({"template": "{trigger}, {caption}, {tags}", "trigger": "x"}, Said("", ("a",)), "x, a"),
        ({"template": "{folder} in {file}, {tags}"}, Said(), "ohwx woman in one"),
    ],
)
def test_a_caption_is_put_together_as_told(options, said, expected):
    assert worded(said, WordingOptions(**options), PICTURE) == expected


@pytest.mark.parametrize(
    ("before", "how", "trigger", "expected"),
    [
        ("red, fox", "append", "", "red, fox, tree"),
        ("red, fox", "prepend", "", "tree, red, fox"),
        ("red, Fox, tree", "append", "", "red, Fox, tree"),
        ("red", "prepend", "ohwx", "ohwx, fox, tree, red"),
        ("red, ohwx", "append", "ohwx", "ohwx, red, fox, tree"),
        ("OHWX fox, red", "append", "ohwx", "OHWX fox, red, fox, tree"),
        ("one\ntwo, fox\n", "append", "", "one, fox, tree\ntwo, fox, tree"),
        (" \n", "append", "", "fox, tree"),
    ],
)
def test_new_words_join_an_old_caption_once_each(before, how, trigger, expected):
    new = ", ".join(word for word in (trigger, "fox", "tree") if word)
    assert added(before, new, how, trigger) == expected


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{captoin}", r"has \{captoin\}.*Did you mean 'caption'"),
        ("{tags", "Close each bracket"),
        ("{}", r"has \{\}"),
        ("{tags.x}", r"has \{tags.x\}"),
    ],
)
def test_a_template_that_can_not_be_filled_is_refused(template, said):
    with pytest.raises(ConfigError, match=said):
        WordingOptions(template=template).check()
