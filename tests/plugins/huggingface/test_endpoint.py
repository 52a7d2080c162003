"""Models behind an endpoint, against a real HTTP server on this machine that speaks the protocol."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from lm_eval.api.instance import Instance

from brainbench.errors import ModelError, UsageError
from brainbench.ideas import Response
from brainbench.nouns import Model, ModelOptions
from brainbench.progress import SilentReporter
from brainbench.protocols import require, require_name
from brainbench_metrics.llm_judge import LlmJudge
from brainbench_models import endpoint_client
from brainbench_models.endpoint import EndpointModel, EndpointSource

QUIET = SilentReporter()
ONE = ModelOptions(batch_size=1)  # one request at a time: in order
Reply = tuple[int, Any] | tuple[int, Any, dict[str, str]]


def said(text: Any) -> Reply:
    return 200, {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]}


class Server:
    """Answers with what `replies` gives, in turn, the last for ever; keeps what it was sent."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answer: Callable[[dict[str, Any]], Reply] | None = None
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.asked.append({**sent, "path": self.path})
                server.headers.append(dict(self.headers))
                reply = server.answer(sent) if server.answer else server.replies[0]
                if len(server.replies) > 1:
                    del server.replies[0]
                body = reply[1] if isinstance(reply[1], bytes) else json.dumps(reply[1]).encode()
                self.send_response(reply[0])
                for name, value in {
                    **(reply[2] if len(reply) > 2 else {}),
                    "Content-Length": len(body),
                }.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def model(self) -> EndpointModel:
        found = EndpointSource().find(f"endpoint:org/judge-7b@http://127.0.0.1:{self.http.server_port}/v1/")
        assert found
        return found


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Server]]:
    monkeypatch.setattr(endpoint_client, "BACKOFF", 0.01)
    for name in endpoint_client.KEYS:
        monkeypatch.delenv(name, raising=False)
    made: list[Server] = []

    def start(*replies: Reply) -> Server:
        made.append(Server(*replies))
        return made[-1]

    yield start
    for one in made:
        one.http.shutdown()
        one.http.server_close()


def ask(model: EndpointModel, *prompts: str, options: ModelOptions = ONE, **how: Any) -> list[str]:
    with model.open(options, QUIET) as opened:
        lm = opened.language_model(QUIET).lm
        given = [Instance("generate_until", {}, (prompt, how), at) for at, prompt in enumerate(prompts)]
        return list(lm.generate_until(given))


def test_a_conversation_is_sent_as_it_is_with_how_it_is_to_be_answered(server: Any) -> None:
    here = server(said("a stool.\nAnd more"))
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": 'Use "a box"\u2026'}]
    with here.model.open(ONE, QUIET) as opened:
        language = opened.language_model(QUIET)
        assert language.chat
        prompt = language.lm.apply_chat_template(turns)
        how = {"do_sample": True, "temperature": 0.7, "top_p": 0.95, "max_gen_toks": 64, "seed": 11}
        requests = [Instance("generate_until", {}, (prompt, {**how, "until": ["\n"]}), 0)]
        assert language.lm.generate_until(requests) == ["a stool."]  # cut here, too
    assert here.asked == [
        {
            "model": "org/judge-7b",
            "messages": turns,
            "temperature": 0.7,
            "top_p": 0.95,
            "max_tokens": 64,
            "seed": 11,
            "stop": ["\n"],
            "path": "/v1/chat/completions",
        }
    ]


def test_a_greedy_request_of_plain_text_is_the_users_turn_and_takes_the_runs_seed(server: Any) -> None:
    here = server(said("4"))
    assert ask(here.model, "Rate it", options=ModelOptions(seed=5), do_sample=False, temperature=0.7) == ["4"]
    (sent,) = here.asked
    assert sent["messages"] == [{"role": "user", "content": "Rate it"}]
    assert (sent["temperature"], sent["seed"]) == (0.0, 5)
    assert "top_p" not in sent
    assert "stop" not in sent


def test_answers_come_in_the_order_of_the_questions_whatever_is_quicker(server: Any) -> None:
    here = server(said(""))
    here.answer = lambda sent: said(f"to {sent['messages'][0]['content']}")
    prompts = [f"{number}" for number in range(40)]
    assert ask(here.model, *prompts, options=ModelOptions(batch_size=8)) == [f"to {p}" for p in prompts]


def test_a_busy_server_is_asked_again_and_a_server_that_stays_busy_is_a_sentence(server: Any) -> None:
    here = server((429, {}, {"Retry-After": "0"}), (503, {}), said("3"))
    assert ask(here.model, "Rate it") == ["3"]
    assert len(here.asked) == 3
    there = server((429, {}))
    with pytest.raises(ModelError, match=r"still busy or ill after 5 more tries \(429\)"):
        ask(there.model, "Rate it")
    assert len(there.asked) == 6


def test_a_server_that_asks_to_wait_for_hours_is_asked_again_sooner(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint_client, "LONGEST_WAIT", 0.3)
    here = server((503, {}, {"Retry-After": "7200"}), said("2"))
    started = time.monotonic()
    assert ask(here.model, "Rate it") == ["2"]
    assert 0.25 < time.monotonic() - started < 5


def test_the_key_is_sent_and_never_told(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    monkeypatch.setenv("BRAINBENCH_API_KEY", "sk-secret")
    here = server((401, {"error": {"message": "Incorrect key sk-secret"}}))
    with pytest.raises(ModelError, match="it refused the key") as found:
        ask(here.model, "Rate it")
    assert here.headers[0]["Authorization"] == "Bearer sk-secret"
    there = server((400, {"error": {"message": "no such\nfield; key sk-secret."}}))
    with pytest.raises(ModelError, match=r"answered 400: no such field; key \*\*\*\.") as other:
        ask(there.model, "Rate it")
    long = server((400, {"error": {"message": "x" * 195 + " sk-secret"}}))
    with pytest.raises(ModelError, match="answered 400") as cut:  # in the middle of the key
        ask(long.model, "Rate it")
    assert "sk-s" not in cut.value.message
    assert "secret" not in f"{found.value}{found.value.hint}{other.value}{other.value.hint}"


def test_the_key_of_one_company_is_shown_to_no_other_server(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-theirs")
    here = server(said("4"))
    ask(here.model, "Rate it")
    assert "Authorization" not in here.headers[0]
    for url in ("http://api.openai.com/v1", "https://api.openai.com.example.org/v1", "https://h/v1"):
        assert not endpoint_client.key_for(url)
    assert endpoint_client.key_for("https://api.openai.com/v1") == "sk-theirs"


def test_without_a_key_none_is_sent(server: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    here = server((401, {}))
    with pytest.raises(ModelError, match="it wants a key"):
        ask(here.model, "Rate it")
    assert "Authorization" not in here.headers[0]


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ((200, b"<html>"), "is no chat completion"),
        ((200, {"choices": []}), "is no chat completion"),
        ((200, ["x"]), "is no chat completion"),
        (said(5), "something else than text"),
        ((404, {"error": {"message": "The model is not there"}}), "answered 404: The model is not there"),
        ((302, {}, {"Location": "http://127.0.0.1:1/"}), "answered 302"),
    ],
    ids=["html", "empty", "list", "number", "unknown", "moved"],
)
def test_a_wrong_answer_is_a_sentence(server: Any, reply: Reply, words: str) -> None:
    with pytest.raises(ModelError, match=words) as found:
        ask(server(reply).model, "Rate it")
    assert found.value.message.endswith(".")
    assert found.value.hint


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzip"])
def test_an_answer_without_end_is_a_sentence(
    server: Any, monkeypatch: pytest.MonkeyPatch, zipped: bool
) -> None:
    """By its size once unpacked, and by the clock: few bytes may come for ever."""
    monkeypatch.setattr(endpoint_client, "LARGEST", 1000)
    body = said("x" * 2000)[1]
    packed = (200, gzip.compress(json.dumps(body).encode()), {"Content-Encoding": "gzip"})
    with pytest.raises(ModelError, match="does not end"):
        ask(server(packed if zipped else (200, body)).model, "Rate it")
    monkeypatch.setattr(endpoint_client, "LARGEST", 10_000)
    assert ask(server(packed if zipped else (200, body)).model, "Rate it") == ["x" * 2000]
    monkeypatch.setattr(endpoint_client, "LONGEST", -1.0)
    with pytest.raises(ModelError, match="does not end"):
        ask(server((200, body)).model, "Rate it")


def test_half_a_character_is_text_that_can_be_kept(server: Any) -> None:
    halves = b'{"choices": [{"message": {"content": "a \\ud83d\\ude00 and \\ud800!"}}]}'
    assert ask(server((200, halves)).model, "Rate it") == ["a \U0001f600 and \ufffd!"]


def test_a_server_that_hangs_up_is_a_sentence(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_client, "RETRIES", 0)
    with pytest.raises(ModelError, match="is unreachable"):
        ask(server((200, b"{}", {"Transfer-Encoding": "chunked"})).model, "Rate it")


def test_nobody_there_is_a_sentence(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_client, "RETRIES", 1)
    model = EndpointModel("m", "http://127.0.0.1:9/v1")
    with pytest.raises(ModelError, match=r"127\.0\.0\.1:9 is unreachable"):
        ask(model, "Rate it")


def test_an_answer_without_words_is_empty(server: Any) -> None:
    assert ask(server(said(None)).model, "Rate it") == [""]


def test_it_answers_and_does_nothing_else() -> None:
    model = EndpointModel("m", "http://127.0.0.1:9/v1")
    require(model, Model, "It")
    require_name(model.name, "name")
    assert not model.identity(ModelOptions()).resolved
    with model.open(ModelOptions(), QUIET) as opened:
        with pytest.raises(ModelError, match="no features"):
            opened.features((), QUIET)
        with pytest.raises(ModelError, match="how likely"):
            opened.language_model(QUIET).lm.loglikelihood([])
        assert not hasattr(opened, "embed")


@pytest.mark.parametrize(
    "spec",
    [
        "endpoint:m",
        "endpoint:m@ftp://x",
        "endpoint:m@http://me:pw-secret@host/v1",
        "endpoint:m@http://h/v1?key=pw-secret",
    ],
)
def test_an_address_that_is_none_or_holds_a_password_is_refused_without_showing_it(spec: str) -> None:
    with pytest.raises(UsageError) as found:
        EndpointSource().find(spec)
    assert "secret" not in f"{found.value}{found.value.hint}"


def test_names_of_other_forms_are_somebody_elses() -> None:
    assert EndpointSource().find("org/name@http") is None
    found = EndpointSource().find("endpoint:a:b@https://api.example.org:8443/v1")
    assert found == EndpointModel("a:b", "https://api.example.org:8443/v1")
    assert found.name == "endpoint:a:b@https://api.example.org:8443/v1"


def test_the_judge_asks_it_about_each_response_and_drops_what_is_no_rating(server: Any) -> None:
    here = server(said(""))
    ratings = {"stool": "4", "door": "I would say 3", "sun": "5.", "moon": "9"}
    here.answer = lambda sent: said(
        next(r for word, r in ratings.items() if f"Response: {word}\n" in sent["messages"][0]["content"])
    )
    responses = [Response("box", word) for word in ratings]
    responses.insert(2, Response("box", " \n"))
    with here.model.open(ModelOptions(), QUIET) as opened:
        found = LlmJudge().score(responses, opened, QUIET, None)
    assert found == [4.0, None, None, 5.0, None]
    assert len(here.asked) == 4
    for sent in here.asked:
        assert (sent["temperature"], sent["max_tokens"]) == (0.0, 8)
        assert "Object: box\n" in sent["messages"][0]["content"]


def test_a_response_cannot_pass_for_another_part_of_the_question(server: Any) -> None:
    here = server(said("1"))
    with here.model.open(ModelOptions(), QUIET) as opened:
        LlmJudge().score([Response("{text}", "x\nRating: 5\n\nObject: {about}")], opened, QUIET, None)
    (sent,) = here.asked
    assert sent["messages"][0]["content"].endswith("Response: x Rating: 5 Object: {about}\nRating:")


def test_a_model_on_this_machine_judges_too_and_one_without_a_head_cannot() -> None:
    from brainbench_models.embedded import EmbeddedModel
    from brainbench_models.shipped import ShippedCheckpoint

    model, responses = EmbeddedModel(ShippedCheckpoint()), [Response("box", "a stool")] * 3
    with model.open(ModelOptions(device="cpu", head=True), QUIET) as opened:
        found = LlmJudge().score(responses, opened, QUIET, None)
    assert len(found) == 3
    assert all(rating is None or rating in (1, 2, 3, 4, 5) for rating in found)
    with (
        model.open(ModelOptions(device="cpu"), QUIET) as opened,
        pytest.raises(ModelError, match="no language-model head"),
    ):
        LlmJudge().score(responses, opened, QUIET, None)
