"""The leaderboard as one page that needs nothing else: no script, no other file, no network.

`view` turns rows into plain values, `render` those into HTML, `publish` puts it into a folder.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from brainbench.errors import StoreError
from brainbench.provenance import now, version_of
from brainbench_leaderboard import idea_captions, idea_view, task_captions, task_view
from brainbench_leaderboard.captions import legend, reasons
from brainbench_leaderboard.idea_view import IdeaTable, Read, Writing
from brainbench_leaderboard.origins import Origin, Sources, origins
from brainbench_leaderboard.store import Leaderboard
from brainbench_leaderboard.task_view import TaskTables
from brainbench_leaderboard.values import Row
from brainbench_leaderboard.view import Table, tables

NAME = "index.html"


@dataclass(frozen=True, slots=True)
class Part:
    """A table with all that a reader needs to judge it."""

    anchor: str
    table: Table
    legend: tuple[str, ...]
    reasons: tuple[str, ...]
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class TaskPart:
    """A task's tables with all that a reader needs to judge them."""

    anchor: str
    tables: TaskTables
    legend: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IdeaPart:
    """A table of ideas with all that a reader needs to judge it, and the texts themselves."""

    anchor: str
    table: IdeaTable
    writings: tuple[Writing, ...]
    legend: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """All that the page says."""

    parts: tuple[Part, ...]
    tasks: tuple[TaskPart, ...]
    ideas: tuple[IdeaPart, ...]
    brainbench: str
    made: str


def view(
    rows: Iterable[Row],
    sources: Sources,
    tasks: Iterable[Row] = (),
    ideas: Iterable[Row] = (),
    read: Read = lambda fingerprint: (),
) -> Page:
    """The page's content for these standings, and those of tasks and ideas, whose texts `read` gives."""
    parts = []
    for number, table in enumerate(tables(rows), 1):
        own = [row for section in table.sections for entry in section.lines for row in entry.rows]
        parts.append(
            Part(
                f"table-{number}",
                table,
                tuple(legend(own)),
                tuple(reasons(own)),
                origins(table, sources),
            )
        )
    asked = []
    for number, found in enumerate(task_view.tasks(tasks), 1):
        lines = tuple(task_captions.legend(found.rows)), tuple(task_captions.reasons(found.rows))
        asked.append(TaskPart(f"task-{number}", found, *lines))
    made = version_of("brainbench") or "of unknown version", now()
    return Page(tuple(parts), tuple(asked), _ideas(ideas, read), *made)


def _ideas(rows: Iterable[Row], read: Read) -> tuple[IdeaPart, ...]:
    return tuple(
        IdeaPart(
            f"ideas-{number}",
            table,
            idea_view.writings(table, read),
            tuple(idea_captions.legend(table.rows)),
            tuple(idea_captions.reasons(table.rows)),
        )
        for number, table in enumerate(idea_view.tables(rows), 1)
    )


def render(page: Page) -> str:
    """The page as HTML: everything from outside is escaped, and its policy allows its own style alone."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    def breakable(name: str) -> Markup:
        """The name, escaped, with places where a narrow screen may break it."""
        return Markup("<wbr>").join(re.split(r"(?<=[_:/])", name))

    style = resources.files("brainbench_leaderboard").joinpath("templates/page.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(
        loader=PackageLoader("brainbench_leaderboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = breakable
    template = environment.get_template("page.html")
    return template.render(page=page, style=Markup(style), style_hash=f"sha256-{digest}")


def publish(store: Leaderboard, folder: Path, rows: Iterable[Row] | None = None) -> Path:
    """Write the page of a leaderboard (or of some of its rows) into a folder, whole or not at all; its path.

    Raises StoreError when it cannot be written.
    """
    if rows is None:
        ideas = store.idea_standings(), store.ideas
        page = view(store.standings(), store.sources(), store.task_standings(), *ideas)
    else:
        page = view(rows, store.sources())
    text = render(page)
    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _replace(path, text)
    except OSError as error:
        raise StoreError(
            f"The page {path} cannot be written: {error.strerror}.", hint="Check the folder, or name another."
        ) from error
    return path


def _replace(path: Path, text: str) -> None:
    """Write beside the file and move over it: a reader never meets half a page."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".page-", suffix=".html")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)  # mkstemp's files are for nobody else, a page is for others
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
