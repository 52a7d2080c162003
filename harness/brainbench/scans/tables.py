"""Tables of text, tab- or comma-separated; spreadsheets, too, where openpyxl is installed."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from brainbench.errors import DataError, words_of

MISSING = "n/a"
_NOTHING = {"", "n/a", "na", "nan", "none", "null"}

Row = dict[str, str]


def read_table(path: Path) -> list[Row]:
    """The rows by column name, texts stripped; .csv has commas, .xlsx is a spreadsheet, all else has tabs.

    Raises DataError for a file that is no such table.
    """
    if path.suffix.lower() in {".xlsx", ".xls"}:
        return _read_spreadsheet(path)
    comma = path.suffix.lower() == ".csv"
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            if comma:
                reader = csv.DictReader(stream, strict=True)
            else:
                reader = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
            names = [(name or "").strip() for name in reader.fieldnames or ()]
            rows = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path.name} is no table of text: {words_of(error)}") from error
    if not names or len(set(names)) != len(names):
        raise DataError(f"{path.name} has no row of different column names.")
    for line, row in rows:
        if None in row or None in row.values():
            raise DataError(f"{path.name}, line {line}, has another number of cells than the first line.")
    return [dict(zip(names, (value.strip() for value in row.values()), strict=True)) for _, row in rows]


def _read_spreadsheet(path: Path) -> list[Row]:
    import pandas

    try:
        frame = pandas.read_excel(path, dtype=str, keep_default_na=False)
    except ImportError as error:
        raise DataError(
            f"{path.name} is a spreadsheet, which needs the package openpyxl.", hint="Or save it as CSV."
        ) from error
    except Exception as error:  # pandas raises many kinds for a file that is no spreadsheet
        raise DataError(f"{path.name} cannot be read as a spreadsheet: {words_of(error)}") from error
    return [
        {str(name).strip(): str(value).strip() for name, value in row.items()}
        for row in frame.to_dict("records")
    ]


def require_columns(rows: Sequence[Row], names: Iterable[str], path: Path, hint: str = "") -> None:
    """Raise DataError for an empty table, or one that lacks a column."""
    if not rows:
        raise DataError(f"{path.name} has no rows.")
    if lacking := [name for name in names if name not in rows[0]]:
        found = ", ".join(list(rows[0])[:12])
        raise DataError(
            f"{path.name} lacks the column{'s' if len(lacking) > 1 else ''} {', '.join(lacking)}.",
            hint=hint or f"It has {found}.",
        )


def is_missing(text: str) -> bool:
    """Whether a cell says that there is nothing."""
    return text.strip().lower() in _NOTHING


def number(row: Mapping[str, str], name: str, where: str) -> float:
    """A finite number, or NaN where the cell says that there is none; raises DataError for anything else."""
    text = row[name]
    if is_missing(text):
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.inf
    if not math.isfinite(value):
        raise DataError(f"{where} has {text!r} for {name}, which is no number.")
    return value


def as_tsv(rows: Sequence[Mapping[str, object]], names: Sequence[str]) -> bytes:
    """These columns with a head, tab-separated; None and NaN are n/a, and tabs and line ends are blanks."""
    stream = io.StringIO()
    stream.write("\t".join(names) + "\n")
    for row in rows:
        stream.write("\t".join(_cell(row.get(name)) for name in names) + "\n")
    return stream.getvalue().encode()


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    if isinstance(value, float):
        return f"{value:.10g}"
    return " ".join(str(value).split()) or MISSING
