"""Writes the tables of docs/fine-tuning.md from docs/fine-tuning.json (benchmarks/tuning_table.py).

python tests/docs/tuning.py [--check]
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE, FIGURES = ROOT / "docs/fine-tuning.md", ROOT / "docs/fine-tuning.json"
COMMANDS = re.compile(r"(<!-- commands -->\n)(.*?)(<!-- end commands -->)", re.DOTALL)
SUMMARY = re.compile(r"(<!-- summary -->\n)(.*?)(<!-- end summary -->)", re.DOTALL)
SHARE = re.compile(r"(<!-- brain share -->\n)(.*?)(<!-- end brain share -->)", re.DOTALL)
ALIGNMENT = re.compile(r"(<!-- alignment -->\n)(.*?)(<!-- end alignment -->)", re.DOTALL)
BLOCK = re.compile(r"(<!-- table: (.+?) -->\n)(.*?)(<!-- end table -->)", re.DOTALL)
HEADINGS = (
    *("training", "accuracy", "change", "over label-only", "over the best control"),
    *("epochs", "seconds", "brain cosine", "held out", "perplexity"),
)
TRANSFER = ("training", "items", "syllogisms", "transitive inferences", "all", "over label-only")
EXTRA = ("more problems", "label-only", "narf-label", "narf-label over label-only")
ALIGNED = ("region", "items", "as it is", "label-only", "narf-label")
KINDS = {"syllogism": "syllogisms", "transitive": "transitive inferences"}
Row = dict[str, Any]


def rendered(text: str, held: dict[str, Any]) -> str:
    """The page with its tables, summary and commands written anew."""
    commands = "\n".join(f"{command} --db tuning.db" for command in held["commands"].values())
    text = COMMANDS.sub(lambda match: f"{match[1]}```\n{commands}\n```\n{match[3]}", text)
    text = _filled(SUMMARY, text, lambda: _summary(held["arms"]))
    text = _filled(SHARE, text, lambda: _shares(held["brain_share"]))
    text = _filled(ALIGNMENT, text, lambda: _aligned(held["alignment"]))
    return BLOCK.sub(lambda match: match[1] + "\n".join(_table(match[2], held)) + "\n" + match[4], text)


def _filled(block: re.Pattern[str], text: str, lines: Callable[[], list[str]]) -> str:
    return block.sub(lambda match: match[1] + "\n".join(lines()) + "\n" + match[3], text)


def _summary(arms: list[Row]) -> list[str]:
    """What the tables come to: narf-label beside label-only, wherever both were trained on the same."""
    lines = []
    for arm in arms:
        if arm["intervention"] == "narf-label" and arm["against_label_only"] and arm["against_control"]:
            best = arm["against_control"]
            lines.append(
                f"- `narf-label` trained on `{arm['learnt_from']}`, asked `{arm['task']}`: "
                f"{_ends(arm['against_label_only'])} over `label-only` in {len(arm['seeds'])} trainings, "
                f"{_ends(best)} over the best control, `{best['control']}`."
            )
    return lines


def _shares(shares: dict[str, float]) -> list[str]:
    """How much of the first gradient comes from the brain."""
    return [f"- `{name}`: {100 * share:.2g} % of the labels' gradient" for name, share in shares.items()]


def _table(which: str, held: dict[str, Any]) -> list[str]:
    """The table that is named "model | learnt from | task[ | transfer or extra]"."""
    model, source, task, *more = which.split(" | ")
    own = [
        arm
        for arm in held["arms"]
        if (arm["model"], arm["learnt_from"], arm["task"]) == (model, source, task)
    ]
    moved = [arm for arm in own if _part(arm) == (more[0] if more else "")]
    if not moved:
        raise ValueError(f"No training is shown by the table {which!r}.")
    rows = [row for row in held["rows"] if (row["model"], row["task"]) == (model, task)]
    limit = moved[0]["problem_limit"]
    (base,) = (row for row in rows if row["intervention"] == "none" and row["problem_limit"] == limit)
    if more == ["transfer"]:
        return [_said(base), "", *_lines(TRANSFER, map(_transfer, moved))]
    if more == ["weight"]:
        return [
            _said(base),
            "",
            *_lines(HEADINGS, ([f"{_name(arm)} {_setting(arm)}", *_cells(arm)[1:]] for arm in moved)),
        ]
    if more == ["extra"]:
        return [_said(base), "", *_lines(EXTRA, _extra(own))]
    without = [r for r in rows if r["learnt_from"] == source and r["outcome"] != "scores"]
    return [_said(base), "", *_lines(HEADINGS, map(_cells, moved)), *_others(without)]


def _part(arm: Row) -> str:
    """Which of the tables shows it, by what stands behind the @ of its name."""
    setting = _setting(arm)
    return "transfer" if setting in KINDS else setting.partition("=")[0]


def _setting(arm: Row) -> str:
    return str(arm["intervention"]).partition("@")[2]


def _said(base: Row) -> str:
    by = ", ".join(f"{KINDS.get(kind, kind)} {share:.3f}" for kind, share in base["by_type"].items())
    return (
        f"As it is: {base['accuracy']:.3f} [{base['low']:.3f}, {base['high']:.3f}] of {base['items']} items "
        f"of {base['problems']} problems ({by}); always the same answer: {base['constant_accuracy']:.3f}."
    )


def _cells(arm: Row) -> list[str]:
    control = arm["against_control"]
    return [
        _name(arm) + ("".join(f" ({mark})" for mark in _marks(arm))),
        _spread(arm),
        _ends(arm["against_base"]),
        _ends(arm["against_label_only"]),
        f"{_ends(control)} `{control['control']}`" if control else "",
        _number(arm["epochs"]),
        _number(arm["train_seconds"]),
        _cosines(arm["cosine"]),
        _cosines(arm["cosine_heldout"]),
        "" if arm["perplexity"] is None else f"{arm['perplexity']:.2f}",
    ]


def _marks(arm: Row) -> list[str]:
    """Why the board does not rank it."""
    told = {"trained on these items": arm["seen"], "stopped early on the test": arm["protocol"] == "paper"}
    return [words for words, holds in told.items() if holds]


def _name(arm: Row) -> str:
    name = arm["intervention"].partition("@")[0]
    return f"**`{name}`**" if arm["role"] == "brain" else f"`{name}`"


def _spread(arm: Row) -> str:
    return f"{arm['accuracy']:.3f}" + ("" if arm["sd"] is None else f" ± {arm['sd']:.3f}")


def _cosines(found: Sequence[float] | None) -> str:
    return "" if found is None else f"{found[0]:.3f} → {found[1]:.3f}"


def _number(found: float | None) -> str:
    return "" if found is None else f"{found:.0f}"


def _transfer(arm: Row) -> list[str]:
    by = arm["change_by_type"]
    return [
        _name(arm),
        KINDS[_setting(arm)],
        *(_ends(by.get(kind)) for kind in KINDS),
        _ends(arm["against_base"]),
        _ends(arm["against_label_only"]),
    ]


def _extra(arms: list[Row]) -> Iterable[list[str]]:
    """One row for each number of problems beside the dataset's own, from none."""
    found: dict[int, dict[str, Row]] = {}
    for arm in arms:
        if _part(arm) in {"", "extra"}:
            count = int(_setting(arm).partition("=")[2] or 0)
            found.setdefault(count, {})[arm["intervention"].partition("@")[0]] = arm
    for count, own in sorted(found.items()):
        pair = [own.get(name) for name in EXTRA[1:3]]
        if any(pair):
            beside = pair[1]["against_label_only"] if pair[1] else None
            yield [str(count), *(_spread(arm) if arm else "" for arm in pair), _ends(beside)]


def _aligned(rows: list[Row]) -> list[str]:
    """Plain predictivity, before and after, beside its ceiling."""
    at = {(row["region"], row["item_set"], row["intervention"]): row for row in rows}
    places = dict.fromkeys((row["region"], row["item_set"]) for row in rows)
    names = ("none", "label-only", "narf-label")
    cells = [
        [*place, *(f"{found['score']:.3f}" if (found := at.get((*place, name))) else "" for name in names)]
        for place in places
    ]
    return _lines(ALIGNED, cells)


def _others(rows: list[Row]) -> list[str]:
    """Those without a score, by their reasons."""
    reasons: dict[str, dict[str, None]] = {}
    for row in rows:
        reasons.setdefault(str(row["reason"]), {})[f"`{row['intervention']}`"] = None
    return [line for why, names in reasons.items() for line in ("", f"{', '.join(names)}: {why}")]


def _lines(headings: tuple[str, ...], cells: Iterable[list[str]]) -> list[str]:
    return [
        f"| {' | '.join(headings)} |",
        "|---" * len(headings) + "|",
        *(f"| {' | '.join(c)} |" for c in cells),
    ]


def _ends(found: Row | None) -> str:
    return "" if found is None else f"{found['difference']:+.3f} [{found['low']:+.3f}, {found['high']:+.3f}]"


def main(check: bool) -> int:
    """Write or check the page; the exit code says whether it was out of date. Nothing without figures."""
    if not FIGURES.exists():
        return 0
    old = PAGE.read_text()
    new = rendered(old, json.loads(FIGURES.read_text()))
    if new != old and not check:
        PAGE.write_text(new)
    if new != old:
        sys.stdout.write(f"docs/fine-tuning.md {'is out of date: make docs' if check else 'written'}\n")
    return int(new != old and check)


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
