"""Hostile archives, tables and folders, for the steps `import` and `export`."""

from __future__ import annotations

import stat
import warnings
import zipfile

from tests.images.hostile.table import Attempt, fill, pack, pixel_bomb, png

LONG = "x" * 245 + ".png"
IMPORT = "import --output PLACE/out --source"


def archive(place):
    link = zipfile.ZipInfo("link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    outside = [("../up.png", png(1)), ("/root.png", png(2)), ("C:\\drive.png", png(3)), ("..\\back.png", png(4))]
    odd = [("🦊 'x' \"y\".png", png(5)), (LONG, png(6)), ("con.png", png(7)), ("A.png", png(8)), ("a.png", png(9)),
           ("twice.png", png(10)), ("twice.png", png(11)), ("same.png", png(8)), ("lo_ng.png", png(20))]  # fmt: skip
    bad = [("page.png", "<!DOCTYPE html><p>Sign in"), ("empty.jpg", b""), ("cut.png", png(12)[:80]),
           ("bomb.png", pixel_bomb()), ("photo.heic", b"x"), ("drawing.svg", "<svg onload='x'/>"),
           ("inner.zip", b"PK\3\4"), ("damaged.png", png(13, (300, 300))), ("locked.png", png(14))]  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the name that comes twice
        pack(place / "in.zip", [*outside, (link, "/etc/hostname"), *odd, *bad, ("good.png", png(15))])
    data = bytearray((place / "in.zip").read_bytes().replace(b"lo_ng.png", b"lo\0ng.png"))
    data[data.index(b"damaged.png") + 60] ^= 255
    for sign, ahead in ((b"PK\3\4", 30), (b"PK\1\2", 46)):  # the bit that says `locked`, before both of its names
        at = data.rindex(b"locked.png", 0, data.rindex(b"PK\1\2") if ahead == 30 else None) - ahead
        at = at if data[at : at + 4] == sign else data.index(b"locked.png") - 30
        data[at + (6 if sign == b"PK\3\4" else 8)] |= 1
    (place / "in.zip").write_bytes(data)


def captions(place):
    pictures = {f"{name}.png": png(number) for number, name in enumerate(("zero", "mega", "west", "noise", "both"))}
    texts = {"zero.txt": b"a\0 fox", "mega.txt": b"x" * 1_000_000, "west.txt": "größer".encode("cp1252"),
             "noise.txt": b"\x81\x8d\xff\xfe"}  # fmt: skip
    lines = ['{"file_name": "both.png", "text": "one"}', '{"file_name": ', '{"text": "who"}', "[" * 100_000,
             '{"file_name": "/etc/hostname", "text": "outside"}', '{"file_name": "both.png", "text": "two"}',
             '{"file_name": "../../both.png", "text": "up"}']  # fmt: skip
    rows = 'file_name,text\nboth.png,one,"two\nboth.png,"' + "y" * 200_000 + '"\n\0,nothing\n'
    fill(place / "in", {**pictures, **texts, "metadata.jsonl": "\n".join(lines), "metadata.csv": rows})


def circles(place):
    fill(place / "in", {"good.png": png(1), "deep/er/good.png": png(2), "deep.zip": b"no archive"})
    (place / "in" / "deep" / "er" / "again").symlink_to(place / "in", target_is_directory=True)
    (place / "in" / "nowhere.png").symlink_to(place / "gone.png")
    (place / "in" / "pipe.png").mkdir()


def unpacks_to_much(place):
    black = b"BM" + bytes(120_000_000)
    pack(place / "in.zip", [("good.png", png(1)), ("a.bmp", black), ("b.bmp", black)])


def parquet(place):
    import duckdb

    connection = duckdb.connect()
    connection.execute("CREATE TABLE t (image STRUCT(bytes BLOB, path VARCHAR), text VARCHAR)")
    rows = [(png(1), "../../../up.png", "a\0fox"), (None, "/etc/hostname", "no"), (b"<html>", None, "page"),
            (png(2), None, "z" * 1_000_000)]  # fmt: skip
    for data, path, text in rows:
        connection.execute("INSERT INTO t VALUES ({'bytes': ?::BLOB, 'path': ?}, ?)", [data, path, text])
    connection.execute(f"COPY t TO '{place / 't.parquet'}' (FORMAT parquet)")


def kohya(place):
    table = {"/etc/hostname": {"caption": "outside"}, "a": {"caption": 7, "tags": ["x", 1]}, "b": {"caption": "ok"}}
    fill(place, {"in/a.png": png(1), "in/1/b.png": png(2), "in/2/b.png": png(3), "meta.json": table})


def one_file(name, content):
    return lambda place: fill(place, {name: content, "in/good.png": png(1), "in/good.txt": "a fox"})


ATTEMPTS = {
    "archive": Attempt(
        f"{IMPORT} PLACE/in.zip", archive,
        {
            "a path out of the archive": ("../up.png", "leads out of the archive"),
            "a full path in an archive": ("/root.png", "leads out of the archive"),
            "a drive of Windows in an archive": ("C:/drive.png", "leads out of the archive"),
            "a path out with Windows' separators": ("../back.png", "leads out of the archive"),
            "a link in an archive": ("link.png", "links in archives are not followed"),
            "a name of 249 characters": ("x" * 100, "it is called", "its name was taken, or can't be on every disk"),
            "a device of Windows for a name": ("con.png", "it is called _con.png"),
            "names that differ by capitals alone": ("a.png", "it is called a-2.png"),
            "a name twice in an archive": ("twice.png", "it is called twice-2.png"),
            "the same picture twice": ("same.png", "the same file as A.png"),
            "a name with NUL": ("NUL character",),
            "a web page for a picture": ("page.png", "not a picture of a known format"),
            "a picture of 0 bytes": ("empty.jpg", "the file is empty"),
            "a picture that is cut off": ("cut.png", "truncated"),
            "10,000 million pixels in a few bytes": ("bomb.png", "more than 150 million pixels"),
            "a picture of a kind that can't be read": ("photo.heic", "save it as JPEG or PNG"),
            "a drawing with a script in it": ("drawing.svg", ".svg files can't be read"),
            "an archive in an archive": ("inner.zip", "unpack the archive first"),
            "a damaged file in an archive": ("damaged.png", "damaged in the archive"),
            "a file with a password": ("locked.png", "locked with a password"),
        },
        made=("A.png", "_con.png", "a-2.png", "good.png", "twice-2.png", "twice.png", "x…png", "🦊 'x' _y_.png"),
    ),
    "captions": Attempt(
        f"{IMPORT} PLACE/in", captions,
        {
            "a caption with NUL": ("zero.png", "NUL", "left out"),
            "a caption of 1 MB": ("mega.txt", "longer than any caption"),
            "a caption in Windows' letters": ("west.txt", "not UTF-8", "read as cp1252"),
            "a caption that is no text": ("noise.txt", "no text in a known encoding"),
            "half a line of metadata.jsonl": ("metadata.jsonl line 2", "no whole"),
            "a line without a picture": ("metadata.jsonl line 3", "names no picture"),
            "100,000 brackets in a line": ("metadata.jsonl line 4", "no whole"),
            "a line that names a file outside": ("metadata.jsonl line 5", "/etc/hostname", "not there"),
            "a line that names a picture again": ("metadata.jsonl line 6", "an earlier row names"),
            "a line that names a folder above": ("metadata.jsonl line 7", "../../both.png", "not there"),
            "a row of metadata.csv with 200,000 letters": ("metadata.csv line", "field larger than field limit"),
        },
        made=("both.png", "both.txt", "mega.png", "noise.png", "west.png", "west.txt", "zero.png", "zero.txt"),
    ),
    "circles": Attempt(
        f"{IMPORT} PLACE/in", circles,
        {
            "a folder that leads into itself": ("Pictures brought in", "2"),
            "a link to nowhere": ("nowhere.png", "No such file"),
            "a damaged archive among pictures": ("deep.zip", "no whole zip archive"),
        },
        made=("deep/er/good.png", "good.png"),
    ),
    "zip bomb": Attempt(
        f"{IMPORT} PLACE/in.zip --most-unpacked 0.1", unpacks_to_much,
        {"an archive of 230 kB that unpacks to 240 MB": ("a.bmp", "more than 'most_unpacked' allows")},
        made=("good.png",),
    ),
    "parquet": Attempt(
        f"{IMPORT} PLACE/t.parquet", parquet,
        {
            "a parquet row without a picture": ("row 2", "it has no picture in it", "/etc/hostname"),
            "a web page in a parquet row": ("t-000003.png", "not a picture"),
            "a caption of 1 MB in a parquet row": ("t-000004.png", "1000000 characters", "left out"),
        },
        made=("t-000004.png", "up.png", "up.txt"),
    ),
    "kohya": Attempt(
        f"{IMPORT} PLACE/in PLACE/meta.json", kohya,
        {
            "metadata that names a file of the system": ("/etc/hostname", "not there"),
            "metadata that may mean two pictures": ("meta.json 'b'", "any of several"),
        },
        made=("1/b.png", "2/b.png", "a.png", "a.txt"),
    ),
    "no archive": Attempt(
        f"{IMPORT} PLACE/in.zip", one_file("in.zip", "<html>404</html>"),
        {"a web page for an archive": ("in.zip is no whole zip archive", "download")}, fails=True, made=(),
    ),
    "no parquet": Attempt(
        f"{IMPORT} PLACE/t.parquet", one_file("t.parquet", b"PAR1" + bytes(40)),
        {"a parquet file that is cut off": ("t.parquet is no whole parquet file", "download it again")}, fails=True,
        made=(),
    ),
    "no metadata": Attempt(
        f"{IMPORT} PLACE/in PLACE/meta.json", one_file("meta.json", {"a": 1}),
        {"JSON that is no metadata": ("meta.json is not kohya's metadata", "choose another file")}, fails=True, made=(),
    ),
    "into the sources": Attempt(
        "import --source PLACE/in --output PLACE/in/copies", one_file("x", ""),
        {"copies into the folder that they come from": ("overlaps with", "choose an 'output' outside")}, fails=True,
        made=(),
    ),
    "unwritable": Attempt(
        "import --source PLACE/in --output PLACE/x/out", one_file("x", "in the way"),
        {"a place that can't be written": ("PLACE/x", "can't be written", "choose another 'output'")}, fails=True,
        made=(),
    ),
    "export over another file": Attempt(
        "export --folder PLACE/in --output PLACE/mine.json", one_file("mine.json", {"mine": 1}),
        {"somebody else's JSON where metadata shall go": ("mine.json is not kohya's", "not overwritten")}, fails=True,
        made=(),
    ),
}  # fmt: skip
