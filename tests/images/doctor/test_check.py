"""The step `check`: each harm is found in the pictures that have it and in no others, with what mends it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from lib_trainer.core.errors import ConfigError, DataError
from lib_trainer.core.events import Progress, Table
from lib_trainer.images.doctor.options import CheckOptions
from lib_trainer.images.options import BucketOptions, CaptionOptions

pytestmark = pytest.mark.engine
pytest.importorskip("PIL")

from PIL import Image, ImageFilter  # noqa: E402

sys.path.append(str(Path(__file__).parent))
from pictures_of_things import in_bars, scene, with_caption_bar, with_logo  # noqa: E402

from lib_trainer.core.options import describe  # noqa: E402
from lib_trainer.images.doctor.check import CHECKS, check  # noqa: E402
from lib_trainer.steps import STEPS  # noqa: E402

SMALL = BucketOptions(resolution=128, step=32)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


@pytest.fixture
def found(photos, run):
    """`found(batch_size=2)`: the findings by their kind; of one kind the last."""

    def made(**options):
        result = check(CheckOptions(folder=photos, **{"buckets": SMALL, **options}), run)
        findings = json.loads((run.path / result["findings"]).read_text(encoding="utf-8"))
        assert [set(each) for each in findings] == [
            {"kind", "level", "title", "sentence", "files", "fix", "told"} for _ in findings
        ]
        levels = [each["level"] for each in findings]
        assert levels == sorted(levels, key=["bad", "warning", "info"].index)
        return {each["kind"]: each for each in findings}

    return made


def fill(folder, count=6, captions=True, size=(128, 128), first=0):
    """That many good pictures of different scenes, with captions that have nothing in common but 'sks'."""
    folder.mkdir(exist_ok=True)
    for number in range(first, first + count):
        scene(number, size).save(folder / f"{number:02}.png")
        if captions:
            tags = f"sks, thing {number}, place {number}, light {number}"
            (folder / f"{number:02}.txt").write_text(tags, encoding="utf-8")


def test_a_good_folder_has_no_finding(photos, found):
    fill(photos)
    assert found(trigger="sks") == {}


def test_damaged_files_are_to_go_to_the_bin(photos, found):
    fill(photos)
    (photos / "cut.png").write_bytes((photos / "00.png").read_bytes()[:900])
    (photos / "empty.jpg").touch()
    (photos / "photo.heic").write_bytes(b"heic")
    findings = found(trigger="sks")
    assert findings["corrupt"]["files"] == ["cut.png", "empty.jpg"]
    assert findings["corrupt"]["told"]["empty.jpg"] == "the file is empty"
    assert (findings["corrupt"]["level"], findings["corrupt"]["fix"]["act"]) == ("bad", "bin")
    assert findings["other kind"]["files"] == ["photo.heic"]


def test_what_a_folder_asks_not_to_show_is_not_damaged(photos, found):
    fill(photos)
    fill(photos / "0_left out", count=1)
    assert "corrupt" not in found(trigger="sks")


def test_blurred_noisy_bordered_and_lettered_pictures_are_named(photos, found):
    fill(photos, size=(256, 256))
    scene(20).filter(ImageFilter.GaussianBlur(3)).save(photos / "soft.png")
    grain = Image.merge("RGB", [Image.effect_noise((256, 256), 30)] * 3)
    Image.blend(Image.new("RGB", (256, 256), (120, 120, 120)), grain, 0.9).save(photos / "grain.png")
    in_bars(scene(21), 0.1, "black").save(photos / "film.png")
    with_caption_bar(scene(22, (256, 256))).save(photos / "meme.png")
    findings = found(trigger="sks", buckets=BucketOptions(resolution=256, step=64))
    assert findings["blurred"]["files"] == ["soft.png"]
    assert findings["blurred"]["fix"]["act"] == "bin"
    assert findings["noisy"]["files"] == ["grain.png"]
    assert findings["borders"]["files"] == ["film.png"]
    assert findings["letters"]["files"] == ["meme.png"]


def test_a_mark_in_all_pictures_is_one_finding(photos, found):
    for number in range(16):
        with_logo(scene(number, (256, 256))).save(photos / f"{number}.png")
    mark = found(buckets=BucketOptions(resolution=256, step=64))["mark"]
    assert len(mark["files"]) >= 14
    assert "at the top right" in mark["sentence"]


@pytest.mark.option("CheckOptions.buckets")
def test_small_is_what_the_training_size_makes_small(photos, found):
    fill(photos)
    assert "small" not in found()
    small = found(buckets=BucketOptions(resolution=256, step=64))["small"]
    assert len(small["files"]) == 6
    assert small["told"]["00.png"] == "128 x 128, enlarged 2.0x"
    assert small["fix"]["config"] == {"dataset": {"buckets": {"no_upscale": True}}}
    assert "small" not in found(buckets=BucketOptions(resolution=256, step=64, no_upscale=True))


def test_a_shape_that_loses_much_is_named(photos, found):
    fill(photos)
    scene(9, (640, 64)).save(photos / "long.png")
    odd = found(trigger="sks")["shape"]
    assert odd["files"] == ["long.png"]
    assert odd["told"]["long.png"] == "640 x 64, loses 60%"  # of 10:1 the longest size, 256 x 64, shows 4:1


@pytest.mark.option("CheckOptions.background")
def test_transparent_pictures_stand_before_the_background(photos, found):
    fill(photos)
    clear = scene(9, (128, 128)).convert("RGBA")
    clear.paste((0, 0, 0, 0), (0, 0, 128, 32))
    clear.save(photos / "clear.png")
    seen = found(trigger="sks", background="grey")["transparent"]
    assert seen["told"] == {"clear.png": "25% of it"}
    assert "which is grey" in seen["sentence"]
    with pytest.raises(ConfigError, match="must be a colour"):
        found(background="grei")


def test_pictures_turned_by_exif_are_worth_knowing(photos, found):
    fill(photos)
    exif = Image.Exif()
    exif[0x0112] = 8
    scene(9, (128, 128)).save(photos / "turned.jpg", exif=exif, quality=95)
    assert found(trigger="sks")["turned"]["files"] == ["turned.jpg"]


@pytest.mark.option("CheckOptions.learns")
def test_how_many_are_enough_depends_on_what_they_teach(photos, found):
    fill(photos)
    assert "few" not in found(learns="subject")
    assert "6 pictures; a style needs 50 to 200" in found(learns="style")["few"]["sentence"]
    assert "takes thousands" in found(learns="many things")["few"]["sentence"]
    fill(photos, count=20, first=6)
    assert found(learns="subject")["many"]["level"] == "info"


@pytest.mark.option("CheckOptions.folder")
def test_each_folder_inside_counts_by_itself(photos, found):
    fill(photos / "cat", count=6)
    fill(photos / "dog", count=2, first=6)
    findings = found()
    assert findings["few"]["files"] == ["dog/06.png", "dog/07.png"]
    assert "2 pictures in 'dog'" in findings["few"]["sentence"]
    assert findings["uneven"]["fix"]["config"] == {"dataset": {"balance": True}}


@pytest.mark.option("CheckOptions.repeats")
def test_repeats_count_where_batches_are_filled(photos, found):
    fill(photos, count=5)
    assert "5 of an epoch" in found(batch_size=2)["short batches"]["sentence"]
    assert "short batches" not in found(batch_size=2, repeats=2)


def test_the_repeats_of_folders_make_them_even(photos, found):
    fill(photos / "1_cat", count=6)
    fill(photos / "3_dog", count=2, first=6)
    assert "uneven" not in found()


@pytest.mark.option("CheckOptions.batch_size")
def test_batches_that_stay_short_are_counted(photos, found):
    fill(photos, count=7)
    fill(photos, count=3, size=(160, 96), first=7)
    short = found(batch_size=4)["short batches"]
    # 7 make 4 + 3, and 3 stay 3: two short ones of three, and 1 + 1 would fill them.
    assert "do not divide the 10 of an epoch in 2 sizes: 2 of 3 batches stay short; 2 more" in short["sentence"]
    assert short["fix"]["config"] == {"batch_size": 1}
    assert "short batches" not in found(batch_size=1)


def test_a_smaller_batch_size_that_fits_is_proposed(photos, found):
    fill(photos, count=6)
    assert found(batch_size=4)["short batches"]["fix"]["config"] == {"batch_size": 3}


def test_a_size_with_one_picture_is_named(photos, found):
    fill(photos)
    scene(9, (192, 96)).save(photos / "wide.png")
    lone = found(trigger="sks")["lone size"]
    assert lone["files"] == ["wide.png"]
    assert lone["level"] == "info"
    assert found(batch_size=2)["lone size"]["level"] == "warning"


@pytest.mark.option("CheckOptions.class_folder")
def test_class_pictures_are_counted_against_the_subjects(photos, found, tmp_path):
    fill(photos)
    assert "class" not in found()
    fill(tmp_path / "class", count=3)
    said = found(class_folder=tmp_path / "class")["class"]["sentence"]
    assert said.startswith("There are 3 pictures of the class for 6 to learn; 120 to 600 work")
    (tmp_path / "none").mkdir()
    assert "are 0 pictures of the class" in found(class_folder=tmp_path / "none")["class"]["sentence"]


def test_repeated_backgrounds_are_found_by_concept(photos, found):
    fill(photos / "a", count=6)
    (photos / "b").mkdir()
    for number in range(6):
        image = scene(30 if number < 4 else number, (128, 128))
        image.paste(["red", "green", "blue", "gold", "navy", "pink"][number], (50, 50, 80, 90))
        image.save(photos / "b" / f"{number}.png")
    background = found()["background"]
    assert background["files"] == ["b/0.png", "b/1.png", "b/2.png", "b/3.png"]
    assert "4 of 6 pictures of 'b'" in background["sentence"]


@pytest.mark.option("CheckOptions.captions")
def test_missing_and_empty_captions_are_told_apart(photos, found):
    fill(photos)
    (photos / "01.txt").unlink()
    (photos / "02.txt").write_text(" \n", encoding="utf-8")
    findings = found()
    assert findings["no caption"]["files"] == ["01.png"]
    assert findings["empty caption"]["files"] == ["02.png"]
    assert "no caption" not in found(captions=CaptionOptions(prompt="a thing"))


def test_a_caption_is_too_long_from_76_tokens_on(photos, found):
    fill(photos)
    (photos / "01.txt").write_text("cat " * 75, encoding="utf-8")
    (photos / "02.txt").write_text("cat " * 76, encoding="utf-8")  # "cat" is one token of CLIP
    long = found()["long caption"]
    assert long["told"] == {"02.png": "76 tokens"}
    assert long["fix"]["config"] == {"text": {"reading": "webui"}}


@pytest.mark.option("CheckOptions.trigger")
def test_tags_of_more_than_half_are_common_and_the_trigger_may_be(photos, found):
    fill(photos)
    for number in range(4):  # 4 of 6
        with (photos / f"{number:02}.txt").open("a", encoding="utf-8") as file:
            file.write(", Red Hat")
    for number in range(3):  # 3 of 6 is half, not more
        with (photos / f"{number:02}.txt").open("a", encoding="utf-8") as file:
            file.write(", grass")
    common = found()["common tags"]
    assert common["fix"]["config"]["tags"] == ["sks", "red hat"]
    assert "'sks' (6), 'red hat' (4)" in common["sentence"]
    assert found(trigger="sks")["common tags"]["fix"]["config"]["tags"] == ["red hat"]


def test_of_sentences_the_words_are_counted(photos, found):
    fill(photos, captions=False)
    for number, place in enumerate(["beach", "forest", "street", "kitchen", "garden", "bridge"]):
        (photos / f"{number:02}.txt").write_text(f"A photo of the cat on a {place}.", encoding="utf-8")
    assert found()["common tags"]["fix"]["config"]["tags"] == ["cat"]


def test_the_same_caption_everywhere_and_links_are_told(photos, found):
    fill(photos, captions=False)
    for number in range(6):
        (photos / f"{number:02}.txt").write_text("see https://example.org/a.png", encoding="utf-8")
    findings = found()
    assert len(findings["same caption"]["files"]) == 6
    assert len(findings["link in caption"]["files"]) == 6
    assert "common tags" not in findings


def test_progress_and_the_report_are_told(photos, found, run):
    fill(photos, count=3)
    found()
    events, _ = run.events_after(0)
    assert [each.done for each in events if isinstance(each, Progress)][-1] == 3
    (report,) = [each for each in events if isinstance(each, Table)]
    assert report.rows[0][:2] == ["Warning", "Few pictures"]


def test_a_run_that_is_asked_to_stop_writes_nothing(photos, run):
    fill(photos, count=2)
    run.request("stop")
    assert check(CheckOptions(folder=photos), run) == {}
    assert not (run.path / "findings.json").exists()


def test_a_folder_without_pictures_is_an_error(photos, run):
    with pytest.raises(DataError, match="holds no picture"):
        check(CheckOptions(folder=photos), run)


def test_what_fixes_name_exists():
    """Every option that a fix fills in is one of the training, and every check is in the table by its own name."""
    names = {info.name for info in describe(STEPS["train"].options)}
    assert {"dataset", "text", "batch_size"} <= names
    assert "prepare" in STEPS
    assert len(set(CHECKS.values())) == len(CHECKS)
