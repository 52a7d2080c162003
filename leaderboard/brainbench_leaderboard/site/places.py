"""Where each page of the site lies: addresses that stay, are safe on every file system and never collide."""

from __future__ import annotations

import hashlib
import re

INDEX, PICTURES, TABLES, DATASETS, METHODS, ADD, MODELS = (
    "index.html",
    "pictures.html",
    "tables.html",
    "datasets.html",
    "methods.html",
    "add.html",
    "models.html",
)
_PLAIN = re.compile(r"[a-z0-9](?:[a-z0-9.+=@-]|_(?!_))*")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d|clock\$)(?:\..*)?")
_LONGEST = 80


def slug(name: str) -> str:
    """A name as the name of a file, without its ending: "org/model" is "org__model".

    Whatever is lost or could be taken for another name is made up for by a digest of the whole name; names
    that differ in large and small letters differ here, too, where a file system makes no difference.
    """
    parts = name.split("/", 1)
    if len(name) < _LONGEST and all(_PLAIN.fullmatch(part) and not part.endswith(".") for part in parts):
        made = "__".join(parts)
        if not _RESERVED.fullmatch(made):
            return made
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    readable = re.sub(r"[^a-z0-9.]+", "-", name.lower().replace("/", "__"))[:_LONGEST].strip(".-")
    return f"{readable or 'name'}~{digest}"  # no plain name holds "~"


def model_page(name: str) -> str:
    """Of everything known of a model, all its revisions together."""
    return f"models/{slug(name)}.html"


def dataset_page(name: str) -> str:
    """Of a dataset, or of a variant of one."""
    return f"datasets/{slug(name)}.html"


def method_page(kind: str, name: str) -> str:
    """Of a method; kind: "metric" (its name with the protocol), "intervention", "scorer" or "task"."""
    return f"methods/{kind}-{slug(name)}.html"


def table_page(*question: str) -> str:
    """Of one table, by the words of what is asked in it."""
    return f"tables/{slug('.'.join(question))}.html"


def up(path: str) -> str:
    """From a page to the top of the site: nothing, or "../" as often as needed."""
    return "../" * path.count("/")
