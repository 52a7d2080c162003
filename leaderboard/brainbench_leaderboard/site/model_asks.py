"""Tasks and ideas on a model's page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from brainbench.plan import NOTHING
from brainbench.text import plain
from brainbench_leaderboard import idea_captions, idea_view, task_captions, task_view
from brainbench_leaderboard.idea_view import IdeaTable, Read
from brainbench_leaderboard.sheets import difference, short, signed
from brainbench_leaderboard.site.board import Board
from brainbench_leaderboard.site.model_rows import Own
from brainbench_leaderboard.task_view import TaskTables
from brainbench_leaderboard.values import Row

MOST_TEXT = 1_000_000  # characters of texts on a page
_AROUND = 60  # characters of markup around a text
Texts = tuple[str, tuple[tuple[str, tuple[tuple[str, str], ...]], ...]]


@dataclass(frozen=True, slots=True)
class TaskPart:
    """A task's tables, what each change gained in words, and all that a reader needs to judge them."""

    task: str
    anchor: str
    simulated: bool
    tables: TaskTables
    gains: tuple[str, ...]
    legend: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IdeaPart:
    """A table of ideas and their texts. left_out: texts that would make the page too long."""

    scorer: str
    scorer_shown: str
    anchor: str
    table: IdeaTable
    texts: tuple[Texts, ...]
    left_out: int
    legend: tuple[str, ...]
    reasons: tuple[str, ...]


def tasks(own: Own) -> tuple[TaskPart, ...]:
    """One part for each task, version and limit."""
    found = []
    for number, tables in enumerate(task_view.tasks(own.tasks), 1):
        rows = tables.rows
        words = tuple(gains(rows)), tuple(task_captions.legend(rows)), tuple(task_captions.reasons(rows))
        simulated = any(_is_simulated(row) for row in rows)
        found.append(TaskPart(str(rows[0]["task"]), f"task-{number}", simulated, tables, *words))
    return tuple(found)


def ideas(board: Board, own: Own, most: int) -> tuple[IdeaPart, ...]:
    """One part for each dataset, scorer and way to draw texts; of all texts at most so many characters."""
    found = []
    room = Room(most)
    for number, table in enumerate(idea_view.tables(own.ideas), 1):
        scored = [row for row in table.rows if row["outcome"] == "scores"]
        texts = tuple(part for row in scored if (part := _texts(row, board.texts, room))[1])
        words = tuple(idea_captions.legend(table.rows)), tuple(idea_captions.reasons(table.rows))
        scorer = str(table.rows[0]["scorer"])
        found.append(IdeaPart(scorer, plain(scorer), f"ideas-{number}", table, texts, room.refused(), *words))
    return tuple(found)


@dataclass(slots=True)
class Room:
    """How many characters of texts a page still has room for."""

    left: int
    out: int = 0

    def take(self, size: int) -> bool:
        """Whether a text still fits; one that does not is counted."""
        if size > self.left:
            self.out += 1
            return False
        self.left -= size
        return True

    def refused(self) -> int:
        """How many did not fit since it was last asked."""
        out, self.out = self.out, 0
        return out


def _texts(row: Row, read: Read, room: Room) -> Texts:
    """What was written for a scored row, while there is room: a heading, and by object texts with scores."""
    by: dict[str, list[tuple[str, str]]] = {}
    for idea, about, score in read(row["fingerprint"]):
        name, text = plain(about or idea.item), _cut(idea.text)
        if room.take(len(name) + len(text) + _AROUND):
            by.setdefault(name, []).append((text, "unscored" if score is None else f"{score:.3f}"))
    heading = f"{idea_view.who(row)}: {row['texts']} texts"
    return heading, tuple((name, tuple(texts)) for name, texts in by.items())


def _cut(text: str) -> str:
    """On one line, and not without end."""
    whole = plain(" ".join(text.split()))
    left = len(whole) - idea_view.LONGEST
    return whole if left <= 0 else f"{whole[: idea_view.LONGEST]}... ({left} more characters)"


def gains(rows: Iterable[Row]) -> Iterator[str]:
    """For each change of the model, in a sentence: what it gained and harmed, cost, and adds to controls."""
    told: set[Any] = set()
    for row in rows:
        if row["intervention"] == NOTHING or row["outcome"] != "scores":
            continue
        pooled = row["over_seeds"]
        if pooled is not None and row["arm"] in told:
            continue
        told.add(row["arm"])
        yield _sentence(row, pooled)


def _sentence(row: Row, pooled: Row | None) -> str:
    found = pooled if pooled is not None else row
    base, control = found["against_base"], found["against_control"]
    kind = {"brain": "brain-guided", "control": "a control"}.get(row["role"], "of unknown kind")
    words = [f"{row['intervention']} ({kind})"]
    if base is None:
        words.append("no result of the model as it is to compare with")
    else:
        change, interval = difference(base)
        words.append(f"accuracy {change} {interval} over the model as it is")
        words.append(f"{signed(base['gain'])} of items turned right, {short(base['harm'])} turned wrong")
    if control is not None:
        change, interval = difference(control)
        which = f"{control['control']}, best of {control['controls']}"
        words.append(f"{change} {interval} over its best control ({which})")
    ratio = pooled["perplexity"] if pooled is not None else _ratio(row)
    if ratio is not None:
        words.append(f"perplexity on neutral text times {ratio:.2f}")
    ranked = f"; not ranked: {', '.join(row['unranked'])}" if row["unranked"] else ""
    return plain(f"{words[0]}: {'; '.join(words[1:])}{ranked}.")


def _ratio(row: Row) -> float | None:
    before, after = row["perplexity_before"], row["perplexity_after"]
    return after / before if before and after is not None else None


def _is_simulated(row: Row) -> bool:
    """Whether it was learnt from simulated brains."""
    for change in ("steering", "tuning"):
        told = row["details"].get(change)
        fitted = told.get("fitted") if isinstance(told, dict) else None
        if isinstance(fitted, dict) and fitted.get("simulated") is True:
            return True
    return False
