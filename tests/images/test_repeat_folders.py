import pytest

from lib_trainer.images.repeat_folders import repeat_folder, repeat_notices


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("10_red fox", (10, "red fox")),
        ("1_ohwx_man", (1, "ohwx_man")),
        ("007_agent", (7, "agent")),
        ("0_unused", (0, "unused")),
        ("10_", None),
        ("10_ ", None),
        ("ten_fox", None),
        ("10 fox", None),
        ("2023_summer", None),
    ],
)
def test_folder_names_as_kohya_reads_them(tmp_path, name, expected):
    found = repeat_folder(tmp_path, tmp_path / name / "a.png")
    assert (found and (found.repeats, found.words)) == expected


def test_the_nearest_folder_counts_and_the_chosen_one_is_the_last(tmp_path):
    chosen = tmp_path / "9_outside" / "5_chosen"
    assert repeat_folder(chosen, chosen / "10_fox" / "sub" / "a.png").words == "fox"
    assert repeat_folder(chosen, chosen / "sub" / "a.png").words == "chosen"
    assert repeat_folder(chosen / "sub", chosen / "sub" / "a.png") is None


def test_every_folder_read_as_repeats_is_reported_once(tmp_path):
    pictures = [tmp_path / name for name in ("10_fox/a.png", "10_fox/b.png", "20240101_party/c.png", "plain/d.png")]
    first, second = repeat_notices(tmp_path, pictures)
    assert "'10_fox' come 10 times" in first
    assert "'20240101_party' is above 999" in second
