"""ops send says what the functions of the running make serve did with the delivery."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from ops import local_stack
from ops.send import caused
from tests.ops.send.receiver import SECRET, Receiver, invoke
from tests.support.endpoints import write_endpoints
from tests.support.fake_playground import FakePlayground, fake_playground

ID = "0b989ba4-242f-11e5-81e1-c7b6966d2516"
PATH = f"GET /api/deliveries/{ID}"
ROW = {"state": "done", "text": "row stored", "attempts": 1}
CARD = {"state": "done", "text": "card posted in #issues", "attempts": 3}
RETRY = {"state": "retrying", "text": "retry in 1 s: Slack is away", "attempts": 1}
UNKNOWN = (404, {"error": "no delivery"})
WAITS = {"state": "waiting", "text": "", "attempts": 0}


@pytest.fixture
def playground(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePlayground]:
    """Run the playground of a stack whose ingest is the receiver; nothing is waited for long."""
    monkeypatch.setattr(caused, "WAIT_SECONDS", 0.3)
    monkeypatch.setattr(caused, "_RETRIES_SECONDS", 0.1)
    monkeypatch.setattr(caused, "_HEARD_SECONDS", 0.2)
    monkeypatch.setattr(caused, "_POLL_SECONDS", 0.01)
    receiver.answer = b'{"delivery_id": "x", "message_id": "5"}\n'
    with fake_playground() as fake:
        write_endpoints(
            local_stack.ENDPOINTS, ingest_url=receiver.url, webhook_secret=SECRET, console_url=fake.url
        )
        yield fake


def known(message_id: str = "5", **functions: Any) -> tuple[int, Any]:
    """Return what the playground answers about the delivery."""
    return 200, {"delivery_id": ID, "message_id": message_id, "functions": functions}


def test_one_line_for_each_function(playground: FakePlayground) -> None:
    """After the answer, each subscriber has a line, once both have done something."""
    steps = itertools.chain(
        [UNKNOWN, known(notify_slack=WAITS, stream_bq=ROW)],
        itertools.repeat(known(notify_slack=CARD, stream_bq=ROW)),
    )
    playground.answers[PATH] = lambda: next(steps)
    result = invoke("--delivery-id", ID)
    first, *rest = result.stdout.splitlines()
    assert first.startswith("202 in ")
    assert rest == ["  notify_slack  card posted in #issues (attempt 3)", "  stream_bq     row stored"]
    assert result.exit_code == 0


def test_the_functions_for_scripts(playground: FakePlayground) -> None:
    """With --json they are a field of the one object."""
    playground.answers[PATH] = known(notify_slack=RETRY, stream_bq=ROW)
    outcome = json.loads(invoke("--delivery-id", ID, "--json").stdout)
    assert outcome["functions"] == {"notify_slack": RETRY, "stream_bq": ROW}


def test_a_redelivery_is_not_mistaken_for_the_first(playground: FakePlayground) -> None:
    """What is known of an earlier message with the same id is not what this one caused."""
    playground.answers[PATH] = known("4", notify_slack=CARD, stream_bq=ROW)
    assert invoke("--delivery-id", ID).stdout.splitlines()[1:] == [
        "No subscriber has logged anything in 0 s."
    ]


@pytest.mark.parametrize("arguments", [["--no-wait"], ["--event", "ping"]])
def test_nothing_to_wait_for(playground: FakePlayground, receiver: Receiver, arguments: list[str]) -> None:
    """With --no-wait, and if ingest has published nothing, only the answer is printed."""
    playground.answers[PATH] = known(notify_slack=CARD, stream_bq=ROW)
    if "ping" in arguments:
        receiver.answer = b"pong"
    assert len(invoke("--delivery-id", ID, *arguments).stdout.splitlines()) == 1
    assert "functions" not in json.loads(invoke("--delivery-id", ID, "--json", *arguments).stdout)


def test_another_ingest(playground: FakePlayground) -> None:
    """What is sent elsewhere is not looked for in the running stack."""
    playground.answers[PATH] = known(notify_slack=CARD, stream_bq=ROW)
    with fake_playground() as other:
        other.answers["POST /"] = (202, {"message_id": "5"})
        result = invoke("--delivery-id", ID, "--url", other.url, "--secret", SECRET)
    assert len(result.stdout.splitlines()) == 1


def test_a_playground_that_does_not_answer(playground: FakePlayground) -> None:
    """The delivery was accepted, so the command succeeds; stderr says what is not known."""
    for answer, error in (
        ((500, {"error": "broken"}), "broken"),
        (UNKNOWN, "the playground has not heard of it"),
    ):
        playground.answers[PATH] = answer
        result = invoke("--delivery-id", ID, "--json")
        assert (result.exit_code, json.loads(result.stdout)["status"]) == (0, 202)
        assert result.stderr.endswith(f"What became of it is not known: {error}\n")
