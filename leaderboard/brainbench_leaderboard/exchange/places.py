"""Where a record's file lies below the folder: names that read well and are safe on every file system."""

from __future__ import annotations

import hashlib
import re

from brainbench.identity import canonical
from brainbench_leaderboard.exchange.format import Document

_UNSAFE = re.compile(r"[^A-Za-z0-9._=+@-]+")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d|clock\$)(\..*)?", re.IGNORECASE)
_LONGEST = 80


def safe(name: str) -> str:
    """A name as the name of a file or folder: "org/model" is "org__model", "sha256:1a" is "sha256-1a".

    Two names may come out alike: whoever needs them apart adds a `digest`.
    """
    made = _UNSAFE.sub("-", name.replace("/", "__"))[:_LONGEST].strip(".-")
    return f"_{made}" if not made or _RESERVED.fullmatch(made) else made


def digest(*parts: object) -> str:
    """Twelve hexadecimal digits that tell any two lists of parts apart."""
    return hashlib.sha256(canonical(list(parts)).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def place_of(document: Document) -> tuple[str, ...]:
    """Folders and file (without its ending) of a record; all that stand in one file share it.

    The file's name ends in a digest of everything that decides the place. So no two sets of records ever
    share a file, whatever a file system makes of letters and whatever `safe` leaves out.
    """
    kind = document["kind"]
    words: tuple[str, ...]
    if kind == "validity":
        words = (document["scorer"], f"v{document['scorer_version']}", document["helper"])
        folders: tuple[str, ...] = ("scorers", document["scorer"])
    elif kind == "task":
        limit = [] if document["problem_limit"] is None else [f"first{document['problem_limit']}"]
        words = (f"v{document['task_version']}", *limit, document["intervention"])
        folders = (document["model"], _revision(document), document["task"])
    elif kind == "ideas":
        words = (document["scorer"], f"v{document['scorer_version']}", document["intervention"])
        folders = (document["model"], _revision(document), document["dataset"] or "own-questions")
    else:
        words = (document["metric"], document["protocol"], f"v{document['metric_version']}")
        folders = ("ceilings", document["dataset"])
        if kind == "score":
            words = (*words, document["intervention"])
            folders = (document["model"], _revision(document), document["dataset"])
    stem = "-".join(safe(word) for word in words)[:100]
    return (*map(safe, folders), f"{stem}-{digest(kind, folders, words)}")


def _revision(document: Document) -> str:
    """Of what has no revision, a baseline, its version."""
    if document["revision"] is not None:
        return str(document["revision"])
    version = document["facts"]["model"].get("version")
    return "no-revision" if version is None else f"v{version}"
