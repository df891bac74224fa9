import io
import zipfile

import pytest

from lib_trainer.core.events import Table
from lib_trainer.core.run_directory import RunDirectory


@pytest.fixture
def run(tmp_path):
    run = RunDirectory(tmp_path / "run")
    run.create("import", {})
    return run


@pytest.fixture
def png():
    """`png(7)`: the bytes of a picture, others for each number."""
    from PIL import Image

    def made(number=0, size=(8, 8), kind="PNG"):
        file = io.BytesIO()
        Image.new("RGB", size, (number % 256, number // 256, 99)).save(file, kind)
        return file.getvalue()

    return made


@pytest.fixture
def fill():
    """`fill(folder, {"a.png": bytes, "a.txt": "text"})`."""

    def made(folder, files):
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return folder

    return made


@pytest.fixture
def pack():
    """`pack(file, {"a.png": bytes})`: a zip archive; names may be ZipInfo objects, and come more than once."""

    def made(file, files):
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items() if isinstance(files, dict) else files:
                archive.writestr(name, content)
        return file

    return made


@pytest.fixture
def told(run):
    """`told()`: the reasons for what was left out or changed, by file, of the last table."""

    def made():
        tables = [event for event in run.events_after(0)[0] if isinstance(event, Table)]
        return dict(row for table in tables if table.title == "Left out or changed" for row in table.rows)

    return made


@pytest.fixture
def contents():
    def made(folder):
        return {
            path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    return made
