"""What the page shows of BigQuery, from the local engine."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from functions.stream_bq.row import to_row
from local.console import warehouse as module
from local.console.warehouse import LONGEST, Warehouse, text
from local.console.wishes import NotPossible
from ops.send import accounts, payloads
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent
from pipeline.team import Team
from tests.support.messages import an_issue
from tests.support.warehouse import ISSUES
from tests.support.warehouse import Warehouse as Engine

MONA = accounts.Account(login="mona")
NOW = datetime.now(UTC).replace(microsecond=0)


def row(event: payloads.Event, delivery_id: str, at: datetime) -> dict:
    """Return the row of a delivery."""
    body = json.dumps(event.payload).encode()
    delivery = Delivery(delivery_id=delivery_id, event=event.name, body=body, received_at=at)
    return dict(to_row(IssueEvent.from_delivery(delivery), at, store_payload=True).columns)


@pytest.fixture(scope="module")
def dataset(warehouse: Engine) -> str:
    """Return a dataset with one issue that was opened and closed."""
    name = warehouse.dataset(views=ISSUES)
    opened, closed = NOW - timedelta(hours=3), NOW - timedelta(hours=1)
    issue = an_issue(number=7, title="</td><script>alert(1)</script>", created_at=opened)
    events = [row(issue.opened(), "d-1", opened), row(issue.closed(MONA, closed), "d-2", closed)]
    warehouse.insert(name, events)
    return name


@pytest.fixture
def asked(warehouse: Engine, dataset: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Warehouse]:
    """Return what the page asks; its dataset is that of the test."""
    monkeypatch.setattr(module, "DATASET", dataset)
    found = Warehouse(warehouse.url, Team(), lambda: 2)
    yield found
    found.close()


def test_an_issue_is_its_row_and_its_events(asked: Warehouse) -> None:
    """The row of `issues` and the latest rows of `issue_events` are there, the newest first, as texts."""
    found = asked.issue("acme/app", 7)
    assert (found["row"]["state"], found["row"]["title"]) == ("closed", "</td><script>alert(1)</script>")
    assert [event["action"] for event in found["events"]] == ["closed", "opened"]
    assert "payload" not in found["events"][0]
    assert asked.issue("acme/app", 8) == {"row": None, "events": []}


def test_the_body_is_kept(asked: Warehouse) -> None:
    """The stored payload of a delivery is its JSON text; an unknown delivery has none."""
    assert json.loads(asked.body("d-1") or "")["issue"]["number"] == 7
    assert asked.body("d-9") is None


def test_a_question_is_answered(asked: Warehouse) -> None:
    """A SELECT gets columns and rows; a name in the answer stays as it is."""
    found = asked.ask("SELECT title, issue_number AS n, labels, closed_at IS NULL AS open FROM issues")
    assert found["columns"] == ["title", "n", "labels", "open"]
    assert found["rows"] == [["</td><script>alert(1)</script>", "7", "[]", "false"]]
    assert found["truncated"] is False


def test_a_long_answer_is_cut(asked: Warehouse) -> None:
    """Not more than so many rows come, and the answer says that there are more."""
    found = asked.ask("SELECT x FROM UNNEST(GENERATE_ARRAY(1, 20000)) AS x ORDER BY x")
    assert (len(found["rows"]), found["rows"][-1], found["truncated"]) == (500, ["500"], True)


def test_an_endless_question_is_stopped(asked: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """A query that takes too long is cancelled in the engine too, which then answers the next one."""
    monkeypatch.setattr(module, "QUERY_SECONDS", 0.5)
    many = "UNNEST(GENERATE_ARRAY(1, 10000))"
    began = time.process_time()
    with pytest.raises(NotPossible, match="the query was stopped"):
        asked.ask(f"SELECT COUNT(*) FROM {many} AS a, {many} AS b, {many} AS c WHERE a + b + c > 5")
    assert time.process_time() - began < 5
    monkeypatch.setattr(module, "QUERY_SECONDS", 30.0)
    assert asked.ask("SELECT 1 AS one")["rows"] == [["1"]]


@pytest.mark.parametrize("sql", ["SELECT nothing FROM issues", "SELECT 1 / 0", "SELECT * FROM UNNEST(1)"])
def test_a_mistake_gets_the_engines_sentence(asked: Warehouse, sql: str) -> None:
    """What BigQuery refuses is one sentence, and no defect of the page."""
    with pytest.raises(NotPossible) as caught:
        asked.ask(sql)
    assert "\n" not in str(caught.value)
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize("sql", [None, 7, ["SELECT 1"], {}])
def test_a_question_is_a_text(asked: Warehouse, sql: object) -> None:
    """Anything else is refused."""
    with pytest.raises(NotPossible, match="sql must be a text"):
        asked.ask(sql)


def test_questions_do_not_pile_up(asked: Warehouse) -> None:
    """More than a few persons' questions at once are refused, so that rows are still stored."""
    for _ in range(module.AT_ONCE):
        asked._asking.acquire()
    with pytest.raises(NotPossible, match="wait a moment"):
        asked.ask("SELECT 1")


def test_the_numbers_count_the_last_happening(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is counted twice for nothing, and what happens right after a count is counted."""
    last, counted = [1], []
    found = Warehouse("http://127.0.0.1:1", Team(), lambda: last[0])
    monkeypatch.setattr(found, "_count", lambda: counted.append(last[0]) or {"headline": [last[0]]})
    assert found.numbers() == found.numbers() == {"headline": [1]}
    last[0] = 2
    assert found.numbers() == {"headline": [2]}
    assert counted == [1, 2]
    found.close()


def test_values_are_texts() -> None:
    """Every value has one text, which is cut where it is long; null stays null."""
    at = datetime(2026, 3, 2, 9, 0, 0, 1500, tzinfo=UTC)
    values = [None, True, 7, 0.1234567, at, at.date(), ["a", "ä"], {"b": None}, "x" * (LONGEST + 1)]
    shown = [text(value) for value in values]
    assert shown[:6] == [None, "true", "7", "0.123457", "2026-03-02 09:00:00.001", "2026-03-02"]
    assert shown[6:8] == ['["a", "ä"]', '{"b": null}']
    assert shown[8] == "x" * LONGEST + "…"
