"""stream_bq stores messages as rows under the real functions framework."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from ops.send import accounts, payloads
from pipeline.delivery import Delivery
from tests.support.framework import Function, function
from tests.support.messages import NOON, an_issue, post_cloud_event, post_raw, push, push_of
from tests.support.warehouse import PROJECT, Proxy, Warehouse

POSTS = {"raw-push": post_raw, "cloud-event": post_cloud_event}


@pytest.fixture(scope="module")
def dataset(warehouse: Warehouse) -> str:
    """Return one dataset; each test looks for its own delivery ids in it."""
    return warehouse.dataset(views=())


@pytest.fixture(scope="module")
def stream_bq(
    warehouse: Warehouse, dataset: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Function]:
    """Start the function once, with a table that exists."""
    environment = {
        "BIGQUERY_TABLE": f"{PROJECT}.{dataset}.events",
        "BIGQUERY_EMULATOR_HOST": warehouse.url,
    }
    with function("stream_bq", tmp_path_factory.mktemp("stream_bq"), environment) as running:
        yield running


def delivery_of(made: payloads.Event, delivery_id: str, **changes: Any) -> Delivery:
    """Return the delivery of an event."""
    fields: dict[str, Any] = {
        "delivery_id": delivery_id,
        "event": made.name,
        "body": json.dumps(made.payload).encode(),
        "received_at": NOON,
    }
    return Delivery(**fields | changes)


def lines_about(running: Function, delivery_id: str) -> list[dict[str, Any]]:
    """Return the log lines with this delivery id."""
    return [line for line in running.log_lines() if line.get("delivery_id") == delivery_id]


def errors(running: Function) -> list[dict[str, Any]]:
    """Return the log lines about a failure."""
    return [line for line in running.log_lines() if line["severity"] in {"ERROR", "CRITICAL"}]


@pytest.mark.parametrize("envelope", POSTS)
def test_a_message_becomes_a_row(
    warehouse: Warehouse, dataset: str, stream_bq: Function, envelope: str
) -> None:
    """A message in either envelope of Pub/Sub is acknowledged once its row is stored, with one log line."""
    delivery = delivery_of(
        an_issue().commented(accounts.Account(login="mona"), NOON, "hi"),
        envelope,
        action="created",
        repository="acme/app",
    )
    assert POSTS[envelope](stream_bq.url, push_of(delivery)).status_code == 200
    rows = warehouse.query(
        "SELECT event, action, issue_number, comment_author, repository, source, "
        "inserted_at > received_at AS later, JSON_VALUE(payload, '$.comment.body') AS body "
        f"FROM `${{DATASET}}.events` WHERE delivery_id = '{envelope}'",
        dataset,
    )
    expected = {
        "event": "issue_comment",
        "action": "created",
        "issue_number": 7,
        "comment_author": "mona",
        "repository": "acme/app",
        "source": "webhook",
        "later": True,
        "body": "hi",
    }
    assert rows == [expected]
    [line] = lines_about(stream_bq, envelope)
    assert (line["severity"], line["message"]) == ("INFO", "Stored")
    assert (line["repository"], line["issue"]) == ("acme/app", 7)


@pytest.mark.parametrize("envelope", POSTS)
def test_a_replay_reaches_the_subscription_it_names(
    warehouse: Warehouse, dataset: str, stream_bq: Function, envelope: str
) -> None:
    """A replay that names another subscription makes no row; one that names this one does."""
    made, name = an_issue().opened(), f"only-{envelope}"
    for number, only in enumerate(("notify-slack", "stream-bq")):
        delivery = delivery_of(made, f"{name}-{number}", source="replay", only=only, hook_id=5)
        assert POSTS[envelope](stream_bq.url, push_of(delivery)).status_code == 200
    rows = warehouse.query(
        "SELECT delivery_id, source, hook_id FROM `${DATASET}.events` "
        f"WHERE STARTS_WITH(delivery_id, '{name}-')",
        dataset,
    )
    assert rows == [{"delivery_id": f"{name}-1", "source": "replay", "hook_id": 5}]
    [line] = lines_about(stream_bq, f"{name}-0")
    assert (line["severity"], line["reason"]) == ("INFO", "meant_for_another")


def test_a_gzipped_message_is_unpacked(warehouse: Warehouse, dataset: str, stream_bq: Function) -> None:
    """A message that ingest packed is stored with the size that it had at GitHub."""
    made = an_issue(body=" " * 9_000_001).opened()
    delivery = delivery_of(made, "packed")
    data, attributes = delivery.to_message()
    assert attributes["content_encoding"] == "gzip"
    assert post_raw(stream_bq.url, push(data, attributes)).status_code == 200
    rows = warehouse.query(
        "SELECT payload_bytes, issue_title, payload IS NULL AS empty FROM `${DATASET}.events` "
        "WHERE delivery_id = 'packed'",
        dataset,
    )
    assert rows == [{"payload_bytes": len(delivery.body), "issue_title": "Export fails", "empty": True}]
    assert [line.get("reason") for line in lines_about(stream_bq, "packed")] == ["payload_too_large", None]


def test_an_omitted_payload_is_logged(warehouse: Warehouse, dataset: str, stream_bq: Function) -> None:
    """A payload that BigQuery would refuse is left out with a warning that says why; the row is stored."""
    body = b'{"a":' * 501 + b"1" + b"}" * 501
    delivery = Delivery(delivery_id="deep", event="push", body=body, received_at=NOON)
    assert post_raw(stream_bq.url, push_of(delivery)).status_code == 200
    rows = warehouse.query(
        "SELECT payload IS NULL AS empty FROM `${DATASET}.events` WHERE delivery_id = 'deep'", dataset
    )
    assert rows == [{"empty": True}]
    warning, stored = lines_about(stream_bq, "deep")
    assert (warning["severity"], warning["reason"]) == ("WARNING", "payload_too_deep")
    assert stored["message"] == "Stored"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (push(b"{}", {}), "delivery_id_missing"),
        (push(b"{}", {"delivery_id": "m"}), "event_missing"),
        (push(b"{}", {"delivery_id": "m", "event": "push", "source": "elsewhere"}), "source_unknown"),
        (push(b"[]", {"delivery_id": "m", "event": "push"}), "body_not_object"),
        (push(b"sesame", {"delivery_id": "m", "event": "push"}), "body_not_json"),
        (push(b"{}", {"delivery_id": "m", "event": "push", "content_encoding": "gzip"}), "gzip_malformed"),
        (push(b"{}", {"delivery_id": "m", "event": "push", "content_encoding": "br"}), "encoding_unknown"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_message_that_breaks_the_contract_is_not_acknowledged(
    stream_bq: Function, message: dict[str, Any], reason: str
) -> None:
    """A message that breaks the contract is answered 500, so that it is dead-lettered; one line says why."""
    before = len(errors(stream_bq))
    answer = post_raw(stream_bq.url, message)
    assert answer.status_code == 500
    [line] = errors(stream_bq)[before:]
    assert (line["severity"], line["reason"]) == ("ERROR", reason)
    named = message["message"]["attributes"].get("delivery_id")
    assert (line["message_id"], line.get("delivery_id")) == ("1001", named)
    assert "sesame" not in line["message"]
    assert "Traceback" not in answer.text
    again = Delivery(delivery_id=f"after-{reason}", event="push", body=b"{}", received_at=NOON)
    assert post_raw(stream_bq.url, push_of(again)).status_code == 200


@pytest.mark.parametrize("envelope", POSTS)
@pytest.mark.parametrize(
    "body", [{}, {"message": "x"}, {"message": {"data": "e30="}}], ids=["empty", "text", "bare"]
)
def test_another_body_is_not_acknowledged(stream_bq: Function, body: dict[str, Any], envelope: str) -> None:
    """A body without a Pub/Sub message is refused and never acknowledged; one line says why."""
    before = len(stream_bq.log_lines())
    answer = POSTS[envelope](stream_bq.url, body)
    assert (answer.status_code, answer.text) == (400, "The body has no Pub/Sub message.")
    [line] = stream_bq.log_lines()[before:]
    assert (line["severity"], line["reason"]) == ("WARNING", "message_missing")


def test_a_body_larger_than_any_push_is_refused(stream_bq: Function) -> None:
    """A body over 15 MiB is refused, and the function goes on."""
    body = push_of(delivery_of(an_issue().opened(), "huge")) | {"more": "x" * 16_000_000}
    assert post_raw(stream_bq.url, body).status_code == 413
    assert post_raw(stream_bq.url, push_of(delivery_of(an_issue().opened(), "after-huge"))).status_code == 200


def test_concurrent_messages_keep_their_own_log_fields(warehouse: Warehouse, tmp_path: Path) -> None:
    """Of 150 messages at the same time each is sent once, and logged with its own fields alone."""
    names = [f"many-{number}" for number in range(150)]
    messages = [
        push(
            *delivery_of(an_issue(number=number).opened(), name, repository=f"acme/{name}").to_message(),
            f"m-{name}",
        )
        for number, name in enumerate(names)
    ]
    proxy = Proxy(warehouse.url)
    proxy.answer = lambda *_: (200, b"{}")  # under load the engine may exceed the time limit
    proxy.start()
    environment = {"BIGQUERY_TABLE": f"{PROJECT}.d.events", "BIGQUERY_EMULATOR_HOST": proxy.url}
    with (
        function("stream_bq", tmp_path, environment) as running,
        ThreadPoolExecutor(50) as pool,
    ):
        answers = list(pool.map(lambda message: post_raw(running.url, message).status_code, messages))
        lines = running.log_lines()
    proxy.stop()
    assert answers == [200] * 150
    rows = [row["insertId"] for body in proxy.bodies for row in json.loads(body)["rows"]]
    assert sorted(rows) == sorted(names)
    assert sorted(line["delivery_id"] for line in lines) == sorted(names)
    for line in lines:
        name = line["delivery_id"]
        assert line == {
            "severity": "INFO",
            "message": "Stored",
            "message_id": f"m-{name}",
            "delivery_id": name,
            "event": "issues",
            "repository": f"acme/{name}",
            "issue": names.index(name),
            "outcome": "stored",
        }


def test_a_stop_under_load_loses_no_acknowledged_row(warehouse: Warehouse, tmp_path: Path) -> None:
    """After SIGTERM what is in flight is still stored and answered, and nothing is acknowledged unstored."""
    proxy = Proxy(warehouse.url)
    proxy.start()
    arrived, stopped = threading.Event(), threading.Event()

    def answer(_method: str, _path: str) -> tuple[int, bytes]:
        arrived.set()
        stopped.wait(30)
        return 200, b"{}"

    proxy.answer = answer
    environment = {"BIGQUERY_TABLE": f"{PROJECT}.d.events", "BIGQUERY_EMULATOR_HOST": proxy.url}
    with function("stream_bq", tmp_path, environment) as running, ThreadPoolExecutor(60) as pool:

        def post(name: str) -> int | None:
            try:
                return post_raw(running.url, push_of(delivery_of(an_issue().opened(), name))).status_code
            except requests.ConnectionError:  # not accepted any more: Pub/Sub delivers it again
                return None

        posts = {name: pool.submit(post, name) for name in (f"stop-{number}" for number in range(60))}
        assert arrived.wait(30)
        assert running.child.process is not None
        running.child.process.terminate()  # the main process alone, as Cloud Run does
        time.sleep(0.5)
        stopped.set()
        answers = {name: post.result() for name, post in posts.items()}
        running.child.process.wait(30)
    proxy.stop()
    assert set(answers.values()) <= {200, None}
    groups = [[row["insertId"] for row in json.loads(body)["rows"]] for body in proxy.bodies]
    sent = [name for group in groups for name in group]
    assert sorted(name for name, status in answers.items() if status == 200) == sorted(sent)
    assert {answers[name] for group in groups[:4] for name in group} == {200}


def test_another_method_is_refused(stream_bq: Function) -> None:
    """Only POST is allowed, and an answer to another method says so."""
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"):
        answer = requests.request(method, stream_bq.url, timeout=30)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_the_payload_need_not_be_stored(warehouse: Warehouse, dataset: str, tmp_path: Path) -> None:
    """With STORE_PAYLOAD=false no payload is stored, and no warning is logged."""
    environment = {
        "BIGQUERY_TABLE": f"{PROJECT}.{dataset}.events",
        "BIGQUERY_EMULATOR_HOST": warehouse.url,
        "STORE_PAYLOAD": "false",
    }
    with function("stream_bq", tmp_path, environment) as running:
        assert post_raw(running.url, push_of(delivery_of(an_issue().opened(), "kept-out"))).status_code == 200
        assert [line["severity"] for line in lines_about(running, "kept-out")] == ["INFO"]
    rows = warehouse.query(
        "SELECT issue_title, payload IS NULL AS empty FROM `${DATASET}.events` "
        "WHERE delivery_id = 'kept-out'",
        dataset,
    )
    assert rows == [{"issue_title": "Export fails", "empty": True}]


def test_a_table_may_be_created_later(warehouse: Warehouse, tmp_path: Path) -> None:
    """Without its table the function answers 500 and says what to run; then the same process stores."""
    dataset = warehouse.unused_name()
    environment = {"BIGQUERY_TABLE": f"{PROJECT}.{dataset}.events", "BIGQUERY_EMULATOR_HOST": warehouse.url}
    delivery = push_of(delivery_of(an_issue().opened(), "late"))
    with function("stream_bq", tmp_path, environment) as running:
        assert post_raw(running.url, delivery).status_code == 500
        [line] = errors(running)
        assert (line["reason"], line["delivery_id"]) == ("table_missing", "late")
        assert "run ./issuewire schema apply" in line["message"]
        warehouse.create(dataset, views=())
        assert post_raw(running.url, delivery).status_code == 200
    assert warehouse.query("SELECT COUNT(*) AS n FROM `${DATASET}.events`", dataset) == [{"n": 1}]


@pytest.mark.parametrize("execution_id", ["true", "false"])
def test_each_line_is_ours_with_or_without_execution_ids(
    warehouse: Warehouse, tmp_path: Path, execution_id: str
) -> None:
    """With LOG_EXECUTION_ID, which the cloud sets, a line has the same fields and the execution id."""
    table = f"{PROJECT}.{warehouse.unused_name()}.events"
    environment = {
        "BIGQUERY_TABLE": table,
        "BIGQUERY_EMULATOR_HOST": warehouse.url,
        "LOG_EXECUTION_ID": execution_id,
    }
    with function("stream_bq", tmp_path, environment) as running:
        for name in ("one", "two"):
            headers = {"Function-Execution-Id": f"run-{name}"}
            body = push_of(delivery_of(an_issue().opened(), name, repository="acme/app"))
            assert requests.post(running.url, json=body, headers=headers, timeout=30).status_code == 500
            [line] = lines_about(running, name)
            assert line["severity"] == "ERROR"
            assert line["message"].startswith("Not stored\nTraceback")
            assert (line["reason"], line["event"], line["repository"]) == (
                "table_missing",
                "issues",
                "acme/app",
            )
            labels = line.get("logging.googleapis.com/labels")
            assert labels == ({"execution_id": f"run-{name}"} if execution_id == "true" else None)


def test_wrong_settings_lose_no_message(tmp_path: Path) -> None:
    """One line at startup names all wrong settings; every message is answered 500, so Pub/Sub keeps it."""
    environment = {"BIGQUERY_TABLE": "events", "STORE_PAYLOAD": "perhaps"}
    with function("stream_bq", tmp_path, environment) as running:
        [line] = errors(running)
        assert (line["severity"], line["reason"]) == ("CRITICAL", "configuration")
        assert line["message"] == (
            "Wrong configuration: BIGQUERY_TABLE is not of the form PROJECT.DATASET.TABLE; "
            "STORE_PAYLOAD is neither true nor false"
        )
        for number in (1, 2):
            delivery = delivery_of(an_issue().opened(), f"w-{number}")
            assert post_raw(running.url, push_of(delivery)).status_code == 500
            assert errors(running)[number]["reason"] == "configuration"
