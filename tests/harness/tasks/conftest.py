"""A small task and an lm-eval model that answers by a rule, both real ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from brainbench.arrays import Features
from brainbench.nouns import Identity
from brainbench.task_nouns import LanguageModel

Rule = Callable[[str, str], float]


def documents(problems: int, forms: int) -> list[dict[str, Any]]:
    """Sums: two problems of three are right as they stand; each comes in several forms."""
    made = []
    for at in range(problems):
        for form in range(forms):
            text = f"{'+' * form} {at} is {'even' if at % 3 else 'odd'}?"
            turns = [{"role": "user", "content": text}]
            made.append(
                {
                    "id": f"p{at}.{form}",
                    "group": f"p{at}",
                    "text": text,
                    "messages": json.dumps(turns),
                    "choices": ["Yes", "No"],
                    "label": int(at % 3 == 0),
                    "kind": ("even", "odd")[at % 2],
                    "answer": "No" if at % 3 == 0 else "Yes",
                }
            )
    return made


@dataclass(frozen=True)
class SumTask:
    """`more` changes its configuration."""

    name: str = "sums"
    version: int = 1
    problems: int = 9
    forms: int = 2
    more: Mapping[str, Any] = field(default_factory=dict)
    columns: bool = True

    def identity(self) -> Identity:
        return Identity({"name": self.name, "version": self.version, "data": [self.problems, self.forms]})

    def lm_eval_config(self) -> dict[str, Any]:
        def load(**_: Any) -> dict[str, Any]:
            from datasets import Dataset

            return {"test": Dataset.from_list(documents(self.problems, self.forms))}

        columns = {"id": "id", "group": "group", "messages": "messages", "by": ["kind"]}
        return {
            "task": self.name,
            "custom_dataset": load,
            "test_split": "test",
            "output_type": "multiple_choice",
            "doc_to_text": "text",
            "doc_to_choice": "choices",
            "doc_to_target": "label",
            "target_delimiter": " ",
            "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
            "metadata": {"version": self.version, **({"brainbench": columns} if self.columns else {})},
            **self.more,
        }


def language(rule: Rule, *, chat: bool = False, asked: list[Any] | None = None) -> LanguageModel:
    """A model whose log-likelihood of an answer is what the rule says; what it was asked goes to `asked`."""
    from lm_eval.api.model import LM

    class RuleModel(LM):  # type: ignore[misc] # lm-eval is untyped
        tokenizer_name = "rule"

        def loglikelihood(self, requests: Any) -> list[tuple[float, bool]]:
            pairs = [request.args for request in requests]
            if asked is not None:
                asked.extend(pairs)
            return [(rule(context, answer), rule(context, answer) > -1) for context, answer in pairs]

        def loglikelihood_rolling(self, requests: Any) -> list[float]:
            raise NotImplementedError

        def generate_until(self, requests: Any) -> list[str]:
            if asked is not None:
                asked.extend(request.args[0] for request in requests)
            return ["Yes" if rule(request.args[0], "Yes") > -1 else "Hm" for request in requests]

        def apply_chat_template(self, chat_history: Any, add_generation_prompt: bool = True) -> str:
            return "".join(f"<{turn['role']}>{turn['content']}" for turn in chat_history) + "<me>"

        def chat_template(self, chat_template: Any = False) -> str:
            return "rule"

    return LanguageModel(RuleModel(), chat)


@dataclass(frozen=True)
class RuleSource:
    """A model that can be asked tasks; opening it is told to `opened`."""

    name: str = "rule"
    rule: Rule = lambda context, answer: -0.5 if answer.strip() == "Yes" else -2.0
    opened: list[str] = field(default_factory=list)
    answers: bool = True

    def identity(self, options: Any) -> Identity:
        return Identity({"name": self.name, "revision": "1"})

    @contextmanager
    def open(self, options: Any, reporter: Any) -> Iterator[Any]:
        self.opened.append(f"open {self.name}, head {options.head}")
        yield Answering(self.rule) if self.answers else Mute()


class Mute:
    def features(self, stimuli: Any, reporter: Any) -> Features:
        raise NotImplementedError

    def facts(self) -> dict[str, Any]:
        return {"device": "cpu"}


@dataclass
class Answering(Mute):
    rule: Rule

    def language_model(self, reporter: Any) -> LanguageModel:
        return language(self.rule)


@pytest.fixture
def sums() -> type[SumTask]:
    return SumTask


@pytest.fixture
def speaker() -> Callable[..., LanguageModel]:
    return language


@pytest.fixture
def rule_model() -> type[RuleSource]:
    return RuleSource
