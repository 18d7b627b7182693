"""reconcile under the real functions framework, with all of its neighbours on loopback."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from local.github.server import TOKEN, GitHubServer
from local.pubsub.server import PubSubServer
from tests.sql.deliveries import a_row
from tests.support.framework import Function, function
from tests.support.messages import an_issue
from tests.support.pubsub import Inbox, PubSub
from tests.support.warehouse import PROJECT, Warehouse

INGEST = "https://ingest.example/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """The running function and what it asks; `topic` has what it publishes."""

    function: Function
    github: GitHubServer
    warehouse: Warehouse
    dataset: str
    topic: Inbox
    token_file: Path

    def ledger(self) -> list[dict]:
        """Return the rows of the ledger."""
        return self.warehouse.query("SELECT * FROM `${DATASET}.delivery_ledger`", self.dataset)


@pytest.fixture(scope="module")
def up(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Start the function beside a GitHub with acme/app, an empty dataset and an empty hold."""
    folder, dataset = tmp_path_factory.mktemp("reconcile"), warehouse.dataset(views=())
    (folder / "token").write_text(TOKEN)
    pubsub = PubSubServer()
    host = pubsub.start()
    topic = PubSub(host=host).new_topic("github-events")
    PubSub(host=host).new_topic("github-events-dead-hold").channel.close()
    with GitHubServer() as github:
        github.github.host("acme/app")
        environment = {
            "PUBSUB_TOPIC": topic.topic,
            "PUBSUB_EMULATOR_HOST": host,
            "BIGQUERY_DATASET": f"{PROJECT}.{dataset}",
            "BIGQUERY_EMULATOR_HOST": warehouse.url,
            "GITHUB_API_URL": github.url,
            "GITHUB_TOKEN_FILE": str(folder / "token"),
            "GITHUB_SOURCES": "acme/app",
            "INGEST_URL": INGEST,
        }
        with function("reconcile", folder, environment) as running:
            yield Up(
                function=running,
                github=github,
                warehouse=warehouse,
                dataset=dataset,
                topic=topic,
                token_file=folder / "token",
            )
    topic.channel.close()
    pubsub.stop()


def test_a_run_repairs_and_proves(up: Up) -> None:
    """One call redelivers what failed, publishes what was never sent, writes a row, and logs the problem."""
    now = datetime.now(UTC)
    stored = {"event_at": now.isoformat(), "received_at": now.isoformat(), "inserted_at": now.isoformat()}

    def send(_hook: dict, event: str, guid: str, _payload: dict) -> int:
        if event == "ping":
            return 200
        if any(asked == guid for _, asked in up.github.github.hooks.asked):
            up.warehouse.insert(up.dataset, [a_row(delivery_id=guid, source="webhook", **stored)])
            return 202
        return 503

    hooks = up.github.github.hooks
    hooks._send = send
    hook = hooks.create("acme/app", {"config": {"url": INGEST}, "events": ["issues"]})
    guid = up.github.github.emit("acme/app", an_issue(number=1, created_at=now).opened())
    hook["active"] = False
    unsent = an_issue(number=2, created_at=now - timedelta(minutes=30)).opened()
    up.github.github.emit("acme/app", unsent)
    answer = requests.post(up.function.url, timeout=60)
    counts = {"expected": 1, "stored": 1, "redelivered": 1, "missed": 1, "redriven": 0, "lost": 0}
    assert (answer.status_code, answer.json() | counts) == (200, answer.json())
    assert answer.json()["problems"] == ["hook_inactive"]
    [error] = [line for line in up.function.log_lines() if line["severity"] == "ERROR"]
    assert (error["reason"], "./deploy.sh webhook acme/app" in error["message"]) == ("hook_inactive", True)
    assert [asked for _, asked in hooks.asked] == [guid]
    [row] = up.ledger()
    assert (row["source"], row["hook_id"], row["expected"], row["stored"]) == ("acme/app", hook["id"], 1, 1)
    (message,) = up.topic.until(
        next(line["delivery_id"] for line in up.function.log_lines() if "Publishing" in line["message"])
    )
    assert (message.attributes["source"], message.attributes["action"]) == ("reconcile", "opened")


def test_a_wrong_token_is_one_error_that_says_what_to_do(up: Up) -> None:
    """A run that cannot see everything answers 500, logs one ERROR, and writes no row."""
    before = len(up.ledger())
    up.token_file.write_text("ghp_wrong")
    seen = len(up.function.log_lines())
    answer = requests.post(up.function.url, timeout=60)
    up.token_file.write_text(TOKEN)
    assert (answer.status_code, answer.json()["failed"]) == (500, "token_refused")
    [line] = [line for line in up.function.log_lines()[seen:] if line["severity"] == "ERROR"]
    assert line["reason"] == "token_refused"
    assert "set a new one" in line["message"]
    assert "Traceback" not in line["message"]
    assert len(up.ledger()) == before
    assert TOKEN not in up.function.output()


def test_only_post_makes_a_run(up: Up) -> None:
    """Another method is answered with 405 and changes nothing."""
    before = len(up.github.requests)
    answer = requests.get(up.function.url, timeout=30)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert len(up.github.requests) == before


def test_wrong_settings_are_named_together(tmp_path: Path) -> None:
    """Every wrong setting is named in one line at start, and a call is answered with 500."""
    with function("reconcile", tmp_path, {"LOOKBACK_HOURS": "73", "INGEST_URL": "x"}) as running:
        assert requests.post(running.url, timeout=30).status_code == 500
        critical = [line for line in running.log_lines() if line["severity"] == "CRITICAL"]
    [line] = critical
    for name in (
        "GITHUB_TOKEN",
        "PUBSUB_TOPIC",
        "BIGQUERY_DATASET",
        "GITHUB_SOURCES",
        "INGEST_URL",
        "LOOKBACK",
    ):
        assert name in line["message"]
