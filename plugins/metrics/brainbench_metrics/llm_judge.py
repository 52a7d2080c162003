"""A language model's opinion of how original a response is, as a number from 1 to 5.

The way of judging is that of arXiv:2604.03480, whose rubric asks for originality, uniqueness and distance
from typical uses; the words are ours. There an answer that held no number counted as 0: here it is left out
and counted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from brainbench import hookimpl
from brainbench.errors import ModelError
from brainbench.hookspecs import Register
from brainbench.lm_eval_adapter import undisturbed
from brainbench.nouns import Identity, MethodCard, OpenModel, Reporter
from brainbench.records import Skip
from brainbench.task_nouns import LanguageModel, OpenLanguageModel
from brainbench_metrics import cards
from brainbench_metrics.idea_vectors import HeldToRatings, scorable

if TYPE_CHECKING:
    from brainbench.ideas import Response
    from brainbench.scoring import Helps, Scorer
    from brainbench.stimuli import Stimulus

BRAINBENCH_API = 1

RUBRIC = """\
People were asked to think of creative uses for everyday objects, and you, who know such tests well, judge \
what came of it. Say how original the response below is. Ask yourself how far it is from what the object is \
normally for, how few other people would think of it, and whether it is a new way of seeing the object.

1 - not original: its ordinary use, or what nearly everybody would say
2 - slightly original
3 - fairly original
4 - original
5 - highly original: far from ordinary uses, and hardly anybody else would say it

Answer with one of the numbers 1, 2, 3, 4 or 5, and with nothing else.

Object: {about}
Response: {text}
Rating:"""
_TOKENS = 8
_RATING = re.compile(r"\s*([1-5])(?!\w)([^\n]*)")


@dataclass(frozen=True)
class LlmJudge(HeldToRatings):
    """A language model's rating of each response by itself, from 1 to 5, in its likeliest words."""

    helper: str = ""
    name: str = "llm-judge"
    version: int = 1

    helps: ClassVar[Helps] = "answers"
    scale: ClassVar[tuple[float, float]] = (1.0, 5.0)
    questions: ClassVar[tuple[Stimulus, ...]] = ()

    @property
    def card(self) -> MethodCard:
        """What a reader must know of it."""
        return cards.llm_judge()

    def using(self, helper: str) -> LlmJudge:
        """With another judge."""
        return replace(self, helper=helper)

    def identity(self) -> Identity:
        """What the judge is asked, and how many words it has."""
        return Identity({"rubric": RUBRIC, "tokens": _TOKENS})

    def score(
        self, responses: Sequence[Response], helper: OpenModel, reporter: Reporter, kept: Path | None
    ) -> list[float | None]:
        """What the judge says of each; None for a blank response and an answer that is no rating.

        Keeps nothing. Raises ModelError for a helper that cannot answer.
        """
        del kept
        found: list[float | None] = [None] * len(responses)
        places = scorable(responses)
        if not places:
            return found
        if not isinstance(helper, OpenLanguageModel):
            raise ModelError(
                "The helper of llm-judge has to answer questions, which this model does not.",
                hint="Name a language model after @, or endpoint:MODEL@http://host:port/v1.",
            )
        with undisturbed():
            language = helper.language_model(reporter)
            if isinstance(language, Skip):
                raise ModelError(language.reason, hint="Name a decoder-only language model after @.")
            asked = [_request(language, responses[at], number) for number, at in enumerate(places)]
            answers = language.lm.generate_until(asked)
        for at, answer in zip(places, answers, strict=True):
            found[at] = rating_of(answer)
        return found


def rating_of(answer: str) -> float | None:
    """The whole number from 1 to 5 that an answer starts with, if there is no other on its line.

    "4", "4." and "4 - a new idea" are ratings; "4.5", "3-4", "4/5", "Rating: 4" and "four" are none.
    """
    match = _RATING.match(answer)
    return float(match[1]) if match and not re.search(r"\d", match[2]) else None


def _request(language: LanguageModel, response: Response, number: int) -> Any:
    from lm_eval.api.instance import Instance

    # replace, not format: a response may hold braces
    prompt = RUBRIC.replace("{about}", _line(response.about)).replace("{text}", _line(response.text))
    if language.chat:
        prompt = str(language.lm.apply_chat_template([{"role": "user", "content": prompt}]))
    how = {"do_sample": False, "temperature": 0.0, "max_gen_toks": _TOKENS, "until": []}
    return Instance("generate_until", {}, (prompt, how), number)


def _line(text: str) -> str:
    """On one line, so that a response cannot pass for another part of the question."""
    return " ".join(text.split())


@hookimpl
def register_scorers(register: Register[Scorer]) -> None:
    """Offer it."""
    register(LlmJudge())
