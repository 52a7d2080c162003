"""The kinds of values that a file of results may hold, each with its bounds."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

MOST = 200_000  # entries of any list
WORD = r"^[^\x00-\x1f\x7f]+$"

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256, in hexadecimal digits.")]
Name = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+=-]*$",
        max_length=300,
        description="A name as plugins give them.",
    ),
]
Label = Annotated[str, Field(pattern=WORD, max_length=1000, description="One line of words.")]
Text = Annotated[str, Field(max_length=100_000, description="What a model or a person wrote.")]
Number = Annotated[float, Field(ge=-1e60, le=1e60, description="Finite, and so are its square and cube.")]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=2**53)]
_EXACT = "Of 64 bits: not every reader of JSON keeps all of its digits."
Whole = Annotated[int, Field(ge=-(2**63), le=2**63 - 1, description=_EXACT)]
Seed = Annotated[int, Field(ge=0, le=2**63 - 1, description=_EXACT)]
Time = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(\.\d+)?([+-]\d\d:\d\d|Z)?)?$",
        max_length=40,
        description="ISO 8601.",
    ),
]
Versions = Annotated[dict[Label, Label], Field(max_length=200)]
Anything = Annotated[dict[str, Any], Field(max_length=10_000)]


class Strict(BaseModel):
    """Exactly these fields, of exactly these types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Loose(BaseModel):
    """These fields, of exactly these types, and whatever else there is."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True, allow_inf_nan=False)
