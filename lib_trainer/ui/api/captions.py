"""All captions of a folder that was looked at: searched, counted, changed by rules, taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.rewording import LONGEST_CAPTION
from lib_trainer.images.wording.clip_pieces import MOST_TOKENS
from lib_trainer.images.wording.differences import differences
from lib_trainer.images.wording.rules import RULES
from lib_trainer.images.wording.spelling import misspelled
from lib_trainer.images.wording.tags import key
from lib_trainer.ui import caption_edits
from lib_trainer.ui.caption_edits import Changed, Selection
from lib_trainer.ui.caption_store import FolderCaptions
from lib_trainer.ui.schema import schema
from lib_trainer.ui.web import Refused, Reply, Request, as_json

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server

FIRST_SHOWN, MOST_SHOWN = 200, 1_000
LONGEST_TITLE = 200


def rules(server: Server, request: Request) -> Reply:
    """The kinds of rules and their options."""
    kinds = [
        {"kind": kind, "help": (cls.__doc__ or "").strip().splitlines()[0], "options": schema(cls)}
        for kind, cls in RULES.items()
    ]
    return as_json({"rules": kinds})


def state(server: Server, request: Request) -> Reply:
    """How the captions stand, and which ones another program changed after a revision."""
    with server.captions.lock:
        captions = server.captions.of(_run(server, request))
        return as_json({
            **_standing(captions),
            "pictures": len(captions.entries),
            "captioned": captions.captioned(),
            "outside": captions.changed_outside(request.number("after", 0)),
        })  # fmt: skip


def search(server: Server, request: Request) -> Reply:
    """The pictures whose captions fit a search."""
    with server.captions.lock:
        captions = server.captions.of(_run(server, request), look=False)
        numbers = _selection(request).numbers(captions)
        files = [captions.entries[number].name for number in numbers]
    return as_json({"total": len(numbers), "numbers": numbers, "files": files, "revision": captions.revision})


def tags(server: Server, request: Request) -> Reply:
    """How often each tag comes among some pictures; with `with`, among those that have that tag too."""
    beginning, most = key(request.told("begin", str, "")), request.told("most", int, MOST_SHOWN)
    beside = request.told("with", str, "")
    with server.captions.lock:
        captions = server.captions.of(_run(server, request), look=False)
        numbers = set(_selection(request).numbers(captions))
        among = numbers & captions.index.having(beside) if beside else numbers
        counts = captions.index.counts(None if len(among) == len(captions.entries) else among)
        if beginning:
            counts = [(tag, count) for tag, count in counts if _begins(tag, beginning)]
        shown = [
            {"tag": captions.index.spelled(tag), "pictures": count, "share": count / len(among),
             "all": captions.index.count_of(tag)}
            for tag, count in counts[:most] if not beside or tag != key(beside)
        ]  # fmt: skip
    return as_json({"pictures": len(among), "tags": shown, "total": len(counts)})


def tokens(server: Server, request: Request) -> Reply:
    """How many tokens texts have, or the captions of some pictures."""
    texts = request.told("texts", list, None)
    if texts is not None:
        if not all(isinstance(text, str) and len(text) <= LONGEST_CAPTION for text in texts):
            raise Refused("'texts' must be a list of captions.")
        return as_json({"limit": MOST_TOKENS, "tokens": [server.captions.pieces.count(text) for text in texts]})
    with server.captions.lock:
        captions = server.captions.of(_run(server, request), look=False)
        numbers = _selection(request).numbers(captions)
        counted = {captions.entries[number].name: captions.tokens_of(number) for number in numbers}
    over = sum(count > MOST_TOKENS for count in counted.values())
    return as_json({"limit": MOST_TOKENS, "tokens": counted, "over": over})


def spelling(server: Server, request: Request) -> Reply:
    """Words of a text, or of the captions of some pictures, that nobody knows, and known ones that are near."""
    text = request.told("text", str, "")
    with server.captions.lock:
        captions = server.captions.of(_run(server, request), look=False)
        if text:
            spelling, words = captions.spelling, captions.spelling.unknown(text[:LONGEST_CAPTION])
            return as_json({"words": [{"word": word, "suggested": spelling.suggested(word)} for word in words]})
        numbers = _selection(request).numbers(captions)
        found = misspelled({number: captions.entries[number].text for number in numbers}, captions.spelling)
        words_found = [
            {"word": word, "suggested": captions.spelling.suggested(word),
             "files": [captions.entries[number].name for number in having]}
            for word, having in sorted(found.items(), key=lambda each: -len(each[1]))[:MOST_SHOWN]
        ]  # fmt: skip
    return as_json({"words": words_found})


def preview(server: Server, request: Request) -> Reply:
    """What rules would change, without changing it."""
    most = min(request.told("most", int, FIRST_SHOWN), MOST_SHOWN)
    with server.captions.lock:
        captions = server.captions.of(_run(server, request), look=False)
        chosen = _selection(request).numbers(captions)
        told = caption_edits.reworded(captions, chosen, request.told("rules", list))
    changes = [
        {"n": entry.number, "file": entry.name, "before": entry.text, "after": text,
         "parts": differences(entry.text, text)}
        for entry, text in told[:most]
    ]  # fmt: skip
    return as_json({"chosen": len(chosen), "changed": len(told), "changes": changes, "revision": captions.revision})


def apply(server: Server, request: Request) -> Reply:
    """Change the captions of some pictures by rules, as one act that can be taken back."""
    run, title = _run(server, request), request.told("title", str, "Rules")[:LONGEST_TITLE]
    seen = request.told("revision", int, None)
    with server.captions.lock:
        captions = server.captions.of(run)
        chosen = _selection(request).numbers(captions)
        told = caption_edits.reworded(captions, chosen, request.told("rules", list))
        return _changed(captions, caption_edits.rewrite(server.captions, run, told, title, seen))


def undo(server: Server, request: Request) -> Reply:
    """Take the last act back."""
    return _turned(server, request, back=True)


def redo(server: Server, request: Request) -> Reply:
    """Do again what was taken back last."""
    return _turned(server, request, back=False)


def _turned(server: Server, request: Request, back: bool) -> Reply:
    run = _run(server, request)
    with server.captions.lock:
        changed = caption_edits.turn(server.captions, run, back)
        return _changed(server.captions.of(run, look=False), changed)


def _changed(captions: FolderCaptions, changed: Changed) -> Reply:
    left = [{"file": file, "why": why} for file, why in changed.left.items()]
    return as_json({**_standing(captions), "title": changed.title, "changed": changed.done, "left": left})


def _standing(captions: FolderCaptions) -> dict[str, Any]:
    back, again = captions.history.titles()
    return {"revision": captions.revision, "undo": back, "redo": again}


def _selection(request: Request) -> Selection:
    files = request.told("files", list, None)
    if files is not None and not all(isinstance(file, str) for file in files):
        raise Refused("'files' must be a list of the pictures' files, as the listing names them.")
    return Selection(None if files is None else tuple(files), request.told("query", str, ""))


def _begins(tag: str, beginning: str) -> bool:
    return tag.startswith(beginning) or f" {beginning}" in tag


def _run(server: Server, request: Request) -> RunDirectory:
    return server.project(request.parts["project"]).run(request.parts["run"])
