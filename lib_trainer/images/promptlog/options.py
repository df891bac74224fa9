"""The options of prompt logs: which files, what their columns mean, which messages count, where pictures are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lib_trainer.core.options import existing, labelled, option, section


@dataclass(frozen=True)
class LogColumns:
    """What the columns of the files are called; capitals and spaces don't matter."""

    content: str = option("Content", "Column with the message.")
    attachments: str = option("Attachments", "Column with the pictures' links, separated by commas.")
    author_id: str = labelled("Author ID", option("AuthorID", "Column that tells users apart; empty: their names."))
    author: str = option("Author", "Column with the users' names.")
    date: str = option("Date", "Column with the date; dates with slashes are read as month/day/year.")
    reactions: str = option("Reactions", "Column with the reactions, as in '❤ (3)'; empty if there is none.")
    prompt: Literal["between stars", "all"] = option(
        "between stars", "'between stars' takes the prompt from between ** and **, 'all' takes the whole message."
    )
    encoding: Literal["auto", "utf-8", "utf-16", "cp1252", "latin-1"] = option(
        "auto", "How the files' letters are stored; 'auto' finds out for each file."
    )


@dataclass(frozen=True)
class LogFilters:
    """Which messages are kept; what is empty or off keeps all."""

    drop_links: bool = option(
        True, "Leave out prompts that begin with a link: they describe what to do with another picture."
    )
    flags: tuple[str, ...] = option(
        (), "Parameters that must all be in the prompt, such as 'v 5', 'style raw' or just 'tile', one per line."
    )
    without_flags: tuple[str, ...] = option((), "Parameters that must not be in the prompt, one per line.")
    upscaled: bool = option(
        False, "Only single pictures that somebody chose: 'Upscaled by' or 'Image #2' behind the prompt."
    )
    since: str = option("", "First day, as 2023-05-31.")
    until: str = option("", "Last day, as 2023-05-31.")
    words: str = option(
        "", "Regular expression that must be found in the prompt without its parameters, such as cat|dog."
    )
    without_words: str = option("", "Regular expression that must not be found there.")
    fewest_words: int | None = option(None, "Prompts of fewer words are left out.", ge=1, unit="words")
    most_words: int | None = option(None, "Prompts of more words are left out.", ge=1, unit="words")
    least_reactions: int | None = option(None, "Messages with fewer reactions are left out.", ge=1)
    users_from: float = option(
        0.0,
        "Users by how much of what is left so far they wrote: 0.9 keeps the most active tenth of them. Users who wrote "
        "the same amount stay together.",
        ge=0, le=1,
    )  # fmt: skip
    users_to: float = option(1.0, "As before, the other end: 0.99 leaves out the most active hundredth.", ge=0, le=1)
    one_per_prompt: bool = option(
        False, "Only the first message of each prompt; parameters and capitals make no difference."
    )


@dataclass(frozen=True)
class LogCaptions:
    """What of a prompt becomes the caption."""

    keep_parameters: bool = option(False, "Keep '--v 5' and the like in the captions.")
    keep_mentions: bool = option(False, "Keep mentions of users and channels, such as <@123>.")
    keep_links: bool = option(False, "Keep links in the captions.")
    keep_weights: bool = option(False, "Keep weights such as the '::2' of 'cat::2'.")


@dataclass(frozen=True)
class DownloadOptions:
    """How pictures are downloaded."""

    at_once: int = option(8, "Pictures that are downloaded at the same time.", ge=1, le=64)
    per_host: int = option(4, "Of these, from the same server.", ge=1, le=32)
    pause: float = option(0.0, "Time between two requests to the same server.", ge=0, le=3600, unit="seconds")
    patience: float = option(
        30.0, "A server that sends nothing for so long is left, and asked again later.", ge=0.1, le=600, unit="seconds"
    )
    attempts: int = option(4, "How often a picture is asked for before it is left out.", ge=1, le=20)
    most_mb: float = option(50.0, "Larger files are left out.", ge=0.001, le=2000, unit="MB")
    shortest_side: int | None = option(None, "Smaller pictures are left out.", ge=1, le=65_500, unit="px")


@dataclass(frozen=True, kw_only=True)
class PromptLogOptions:
    """Make captioned pictures of prompt logs: CSV exports of chat channels with prompts and links to pictures."""

    files: tuple[Path, ...] = existing(
        ..., "CSV files, or folders that hold some; all of them count as one table.", group="first"
    )
    pictures: Literal["count", "download", "folder"] = option(
        "count",
        "'count' only says what would be taken, with a sample; 'download' fetches the pictures from their links; "
        "'folder' finds them by their file names in a folder of yours.",
        group="first",
    )
    folder: Path | None = existing(None, "Folder with the pictures, for 'folder'; folders inside it are searched too.")
    output: Path | None = option(
        None, "New folder for pictures and captions; empty means beside the first file, ending in '-pictures'."
    )
    most: int | None = option(None, "Take only so many pictures, the first ones.", ge=1, unit="pictures")
    columns: LogColumns = section(LogColumns)
    filters: LogFilters = section(LogFilters)
    captions: LogCaptions = section(LogCaptions)
    download: DownloadOptions = section(DownloadOptions)
