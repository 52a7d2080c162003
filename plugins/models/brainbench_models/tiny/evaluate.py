"""How well the embedded model deduces on problems it has not read, beside rules that read no meaning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from brainbench.problems import KINDS_OF_PROBLEM, Kind, Problem, problem_text, random_problem, subtypes
from brainbench_models.tiny.corpus import Conversation

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

SUBTYPES = subtypes(3)
ORDERS = tuple(permutations(range(3)))
BATCH = 128


def balanced_problems(kind: Kind, each: int, *, held_out: bool, seed: int) -> list[Problem]:
    """`each` different problems of three premises of each of the eight subtypes."""
    rng = Random(f"{seed} {kind} {held_out}")
    found: dict[tuple[str, str], Problem] = {}
    for subtype in SUBTYPES:
        wanted = len(found) + each
        while len(found) < wanted:
            problem = random_problem(kind, rng, subtype=subtype, held_out=held_out)
            found.setdefault((problem.key, problem.conclusion), problem)
    return list(found.values())


def accuracy(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    openings: Mapping[Kind, Conversation],
    each: int,
    seed: int,
) -> dict[str, Any]:
    """Accuracy by kind and subtype over all six orders, with a 95 % bootstrap interval over problems.

    The answer is the likelier of the two words after the problem. `openings`: turns before it, by kind.
    """
    found: dict[str, Any] = {}
    for kind in KINDS_OF_PROBLEM:
        problems = balanced_problems(kind, each, held_out=True, seed=seed)
        asked = [problem.reordered(order) for problem in problems for order in ORDERS]
        right = _right(model, tokenizer, openings.get(kind, ()), asked).reshape(len(problems), len(ORDERS))
        found[kind] = {
            "problems": len(problems),
            "accuracy": round(float(right.mean()), 4),
            "interval": _interval(right.mean(axis=1), seed),
            "by_order": [round(float(share), 3) for share in right.mean(axis=0)],
            "by_subtype": {
                subtype: round(float(right[at * each : (at + 1) * each].mean()), 3)
                for at, subtype in enumerate(SUBTYPES)
            },
            "answers_true": round(float((right == [[p.follows] for p in problems]).mean()), 3),
        }
    return found


def _right(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    opening: Conversation,
    asked: Sequence[Problem],
) -> NDArray[np.bool_]:
    import torch

    true, false = (tokenizer.encode(word, add_special_tokens=False)[0] for word in ("True", "False"))
    turns = [{"role": turn.role, "content": turn.content} for turn in opening]
    right: list[bool] = []
    with torch.inference_mode():
        for at in range(0, len(asked), BATCH):
            some = asked[at : at + BATCH]
            chats = [
                [*turns, {"role": "user", "content": problem_text(problem.premises, problem.conclusion)}]
                for problem in some
            ]
            texts = tokenizer.apply_chat_template(chats, tokenize=False, add_generation_prompt=True)
            batch = tokenizer(texts, add_special_tokens=False, padding=True, return_tensors="pt")
            logits = model(**batch, logits_to_keep=1).logits[:, -1]
            answers = (logits[:, true] > logits[:, false]).tolist()
            right += [answer == problem.follows for answer, problem in zip(answers, some, strict=True)]
    return np.array(right)


def _interval(shares: NDArray[np.floating[Any]], seed: int) -> list[float]:
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(shares), size=(2000, len(shares)))
    return [round(float(bound), 4) for bound in np.percentile(shares[drawn].mean(axis=1), (2.5, 97.5))]


def surface(problem: Problem) -> tuple[str, ...]:
    """What can be read off a problem without relating its lines: negations and the conclusion's form."""
    return (
        problem.kind,
        "negated fact" if any(" not " in premise for premise in problem.premises) else "",
        "negated conclusion" if problem.negated else "",
        "kind" if " a " in problem.conclusion else "",
    )


def best_surface_rule(each: int, seed: int) -> Mapping[str, float]:
    """Accuracy by kind of the rule that gives each surface form its more frequent answer.

    The rule is learnt on problems of the training half and tested on held-out ones.
    """
    votes: dict[tuple[str, ...], Counter[bool]] = {}
    for problem in _both_kinds(each, seed, held_out=False):
        votes.setdefault(surface(problem), Counter())[problem.follows] += 1
    found: dict[str, float] = {}
    for kind in KINDS_OF_PROBLEM:
        tested = balanced_problems(kind, each, held_out=True, seed=seed)
        right = [votes[surface(p)].most_common(1)[0][0] == p.follows for p in tested]
        found[kind] = round(float(np.mean(right)), 4)
    return found


def _both_kinds(each: int, seed: int, *, held_out: bool) -> Iterable[Problem]:
    for kind in KINDS_OF_PROBLEM:
        yield from balanced_problems(kind, each, held_out=held_out, seed=seed)
