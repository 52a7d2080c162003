"""An endpoint as an lm-eval model: it writes, and cannot tell how likely a text is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

from lm_eval.api.model import LM

from brainbench.errors import ModelError
from brainbench.nouns import Reporter
from brainbench_models.endpoint_client import Client

_STOPS = 4  # as many as the protocol allows; all are also looked for in the answer


class EndpointLM(LM):  # type: ignore[misc] # lm-eval is untyped
    """A conversation, or a plain text as the user's one turn, is sent for each request."""

    def __init__(self, client: Client, model: str, seed: int, workers: int, reporter: Reporter) -> None:
        super().__init__()
        self._client, self._model, self._seed = client, model, seed
        self._workers, self._reporter = workers, reporter

    @property
    def tokenizer_name(self) -> str:
        """What lm-eval calls the chat template by."""
        return self._model

    def chat_template(self, chat_template: bool | str = False) -> str:
        """The server has its own."""
        del chat_template
        return ""

    def apply_chat_template(
        self, chat_history: Sequence[Mapping[str, str]], add_generation_prompt: bool = True
    ) -> str:
        """The conversation as JSON, which `generate_until` sends as it is."""
        if not add_generation_prompt:
            raise ModelError(f"The endpoint model {self._model} cannot go on with an answer begun for it.")
        return json.dumps([dict(turn) for turn in chat_history], ensure_ascii=False)

    def generate_until(self, requests: Sequence[Any], disable_tqdm: bool = True) -> list[str]:
        """What it writes to each request, in their order, several being asked at once; raises ModelError."""
        del disable_tqdm
        with self._reporter.task(f"Asking {self._model}", len(requests)) as advance:
            pool = ThreadPoolExecutor(self._workers)
            try:
                found = []
                for text in pool.map(lambda request: self._answer(*request.args), requests):
                    found.append(text)
                    advance(1)
                return found
            finally:  # after an error, nothing more is sent
                pool.shutdown(cancel_futures=True)

    def _answer(self, prompt: str, how: Mapping[str, Any]) -> str:
        stops = [how["until"]] if isinstance(how.get("until"), str) else list(how.get("until") or ())
        sampled = how.get("do_sample", bool(how.get("temperature")))
        asked: dict[str, Any] = {
            "model": self._model,
            "messages": _messages(prompt),
            "max_tokens": int(how.get("max_gen_toks", how.get("max_tokens", 256))),
            "temperature": float(how.get("temperature", 1.0)) if sampled else 0.0,
            "seed": int(how.get("seed", self._seed)),
        }
        if sampled and "top_p" in how:
            asked["top_p"] = float(how["top_p"])
        if stops:
            asked["stop"] = stops[:_STOPS]
        text = self._client.complete(asked)
        ends = [at for stop in stops if stop and (at := text.find(stop)) >= 0]
        return text[: min(ends)] if ends else text

    def loglikelihood(self, requests: Sequence[Any], disable_tqdm: bool = True) -> NoReturn:
        """Raises ModelError."""
        raise ModelError(
            f"The endpoint model {self._model} cannot tell how likely an answer is.",
            hint="Use a task whose answers are generated, such as deduction_items_generated.",
        )

    loglikelihood_rolling = loglikelihood


def _messages(prompt: str) -> list[dict[str, str]]:
    """The conversation that `apply_chat_template` wrote, or a plain text as one."""
    try:
        found = json.loads(prompt) if prompt.startswith('[{"role":') else None
    except ValueError:
        found = None
    return found if isinstance(found, list) else [{"role": "user", "content": prompt}]
