"""Small prompt logs."""

from __future__ import annotations

import csv

import pytest

from lib_trainer.core.run_directory import RunDirectory

HEADER = ["AuthorID", "Author", "Date", "Content", "Attachments", "Reactions"]


@pytest.fixture
def log_file(tmp_path):
    """`log_file([message, ...], name)`: a CSV as DiscordChatExporter writes it; a message may be a row of its own."""

    def made(messages, name="log.csv", header=HEADER):
        path = tmp_path / name
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL)
            writer.writerow(header)
            for number, message in enumerate(messages):
                by_ann = ["1", "ann", "2023-05-01", message, f"http://h/{number}.png", ""]
                writer.writerow(message if isinstance(message, list) else by_ann)
        return path

    return made


@pytest.fixture
def run(tmp_path):
    run = RunDirectory(tmp_path / "run")
    run.create("promptlog", {})
    return run
