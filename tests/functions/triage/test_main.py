"""triage under the real functions framework, with GitHub and BigQuery on loopback."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from local.github.github_app import APP_ID, private_key
from local.github.server import GitHubServer
from ops.send.payload_spec import PayloadSpec
from ops.send.payloads import Event
from pipeline.delivery import Delivery
from tests.support.framework import Function, function
from tests.support.messages import post_cloud_event, post_raw, push, push_of
from tests.support.warehouse import PROJECT, Warehouse

RULES = """
[[rule]]
name = "crash"
repositories = ["acme/*"]
words_any = ["crash"]
add_labels = ["bug", "needs triage"]
assign = ["mona"]

[[rule]]
name = "welcome"
author = "first-time"
words_any = ["crash"]
comment = "Welcome!"
dry_run = true
"""


@dataclass(slots=True, kw_only=True)
class Up:
    """The running function and what it asks; `number` is that of the last issue."""

    function: Function
    github: GitHubServer
    warehouse: Warehouse
    dataset: str
    key_file: Path
    number: int = 0

    def opened(self, title: str = "A crash") -> Delivery:
        """Let somebody open an issue, and return its delivery."""
        self.number += 1
        guid, event = self.github.act(PayloadSpec(number=self.number, title=title, author="octavia"))
        return delivery(guid, event)

    def lines(self, made: Delivery) -> list[dict[str, Any]]:
        """Return the log lines of a delivery."""
        return [line for line in self.function.log_lines() if line.get("delivery_id") == made.delivery_id]

    def rows(self, made: Delivery) -> list[dict[str, Any]]:
        """Return the rows of a delivery, oldest first."""
        where = f"WHERE delivery_id = '{made.delivery_id}' ORDER BY at"
        return self.warehouse.query(f"SELECT * FROM `${{DATASET}}.triage_actions` {where}", self.dataset)

    def labels(self) -> list[str]:
        """Return the labels of the last issue."""
        issue = self.github.github.repository("acme/app").issues[self.number]
        return [label["name"] for label in issue["labels"]]


def delivery(guid: str, event: Event, **more: Any) -> Delivery:
    """Return the delivery of an event that has just happened."""
    return Delivery(
        delivery_id=guid,
        event=event.name,
        body=json.dumps(event.payload).encode(),
        received_at=datetime.now(UTC),
        repository="acme/app",
        **more,
    )


def environment(folder: Path, github: GitHubServer, warehouse: Warehouse, dataset: str) -> dict[str, str]:
    """Return the settings of a function that acts."""
    (folder / "triage.toml").write_text(RULES)
    (folder / "key.pem").write_text(private_key())
    return {
        "TRIAGE_FILE": str(folder / "triage.toml"),
        "TRIAGE_MODE": "act",
        "BIGQUERY_DATASET": f"{PROJECT}.{dataset}",
        "BIGQUERY_EMULATOR_HOST": warehouse.url,
        "GITHUB_API_URL": github.url,
        "GITHUB_APP_ID": str(APP_ID),
        "GITHUB_APP_KEY_FILE": str(folder / "key.pem"),
    }


@pytest.fixture(scope="module")
def up(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Start the function beside a GitHub with acme/app, where the App is installed, and an empty dataset."""
    folder, dataset = tmp_path_factory.mktemp("triage"), warehouse.dataset(views=())
    with GitHubServer() as github:
        github.github.app.install("acme", permissions={"issues": "write"})
        settings = environment(folder, github, warehouse, dataset)
        with function("triage", folder, settings) as running:
            yield Up(
                function=running,
                github=github,
                warehouse=warehouse,
                dataset=dataset,
                key_file=folder / "key.pem",
            )


@pytest.mark.parametrize("post", [post_raw, post_cloud_event], ids=["push", "CloudEvent"])
def test_an_event_has_its_actions_rows_and_lines(up: Up, post: Any) -> None:
    """Both envelopes are read; each action is done once, and has one row and one line with the same words."""
    made = up.opened()
    assert post(up.function.url, push_of(made)).status_code == 200
    assert up.labels() == ["bug", "needs triage"]
    rows, lines = up.rows(made), up.lines(made)
    names = ("rule", "what", "value", "result")
    told = [tuple(row[name] for name in names) for row in rows]
    assert told == [tuple(line[name] for name in names) for line in lines]
    assert told == [
        ("crash", "add_label", "bug", "done"),
        ("crash", "add_label", "needs triage", "done"),
        ("crash", "assign", "mona", "done"),
        ("welcome", "comment", "Welcome!", "would"),
    ]
    assert [row["dry_run"] for row in rows] == [False, False, False, True]
    assert {(row["issue"], row["issue_number"]) for row in rows} == {(f"acme/app#{up.number}", up.number)}
    assert {line["severity"] for line in lines} == {"INFO"}


def test_a_repeated_message_does_nothing_again(up: Up) -> None:
    """The second delivery finds everything; a row that is as one before is the same row."""
    made = up.opened()
    assert [post_raw(up.function.url, push_of(made)).status_code for _ in range(2)] == [200, 200]
    written = [
        each
        for each in up.github.requests
        if each.method == "POST" and f"/issues/{up.number}/" in each.target
    ]
    assert len(written) == 2
    assert [row["result"] for row in up.rows(made)] == ["done"] * 3 + ["would"] + ["present"] * 3


def test_simultaneous_repetitions_do_everything_once(up: Up) -> None:
    """Deliveries take turns, so that each sees what the one before has done."""
    made = up.opened()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: post_raw(up.function.url, push_of(made)).status_code, range(6)))
    assert answers == [200] * 6
    results = [line["result"] for line in up.lines(made) if line["rule"] == "crash"]
    assert sorted(results) == ["done"] * 3 + ["present"] * 15


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"received_at": datetime.now(UTC) - timedelta(hours=1)}, "too_old"),
        ({"source": "replay"}, "not_live"),
        ({"source": "backfill"}, "not_live"),
    ],
)
def test_an_event_that_is_ignored_has_one_line_with_its_reason(
    up: Up, change: dict[str, Any], reason: str
) -> None:
    """It is acknowledged, changes nothing, and has no row."""
    made = replace(up.opened(), **change)
    asked = len(up.github.requests)
    assert post_raw(up.function.url, push_of(made)).status_code == 200
    [line] = up.lines(made)
    assert (line["severity"], line["reason"]) == ("INFO", reason)
    assert (up.labels(), up.rows(made), len(up.github.requests)) == ([], [], asked)


def test_an_event_that_no_rule_matches_has_one_line_with_its_reason(up: Up) -> None:
    """GitHub is not asked for it."""
    made, asked = up.opened("A question"), len(up.github.requests)
    assert post_raw(up.function.url, push_of(made)).status_code == 200
    [line] = up.lines(made)
    assert (line["severity"], line["reason"]) == ("INFO", "no_rule_matches")
    assert (up.rows(made), len(up.github.requests)) == ([], asked)


def test_an_event_of_our_own_app_triggers_nothing(up: Up) -> None:
    """The App's login is known from GitHub; its own events are left alone, by that login exactly."""
    for author, reason in (("issuewire[bot]", "own_action"), ("issuewire-2[bot]", None)):
        up.number += 1
        guid, event = up.github.act(PayloadSpec(number=up.number, title="A crash", author=author))
        made = delivery(guid, event)
        assert post_raw(up.function.url, push_of(made)).status_code == 200
        assert up.lines(made)[0].get("reason") == reason
        assert bool(up.rows(made)) is (reason is None)


def test_a_message_that_is_none_of_ours_is_refused(up: Up) -> None:
    """A body that is not JSON is an error; it ends among the dead letters with its reason in the log."""
    attributes = {"event": "issues", "delivery_id": "broken", "source": "webhook"}
    assert post_raw(up.function.url, push(b"{", attributes)).status_code == 500
    assert [line["reason"] for line in up.function.log_lines() if line.get("delivery_id") == "broken"] == [
        "body_not_json"
    ]


def test_an_action_that_was_done_has_its_row_although_a_later_one_failed(up: Up) -> None:
    """The failure is one ERROR line; the retry does the rest."""
    made = up.opened()
    up.github.fail_next(method="POST", target=f"/{up.number}/assignees", status=502)
    assert post_raw(up.function.url, push_of(made)).status_code == 500
    assert [row["result"] for row in up.rows(made)] == ["done", "done"]
    error = up.lines(made)[-1]
    assert (error["severity"], error["reason"]) == ("ERROR", "github_down")
    assert "answered 502" in error["message"]
    assert "Traceback" not in error["message"]
    assert post_raw(up.function.url, push_of(made)).status_code == 200
    assert [row["result"] for row in up.rows(made)][2:] == ["present", "present", "done", "would"]


def test_a_wrong_key_is_one_clear_line_and_loses_nothing(up: Up) -> None:
    """The delivery is repeated until the key is right, which needs no new deployment."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    made = up.opened()
    up.key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    up.github.github.app.tokens.clear()
    assert post_raw(up.function.url, push_of(made)).status_code == 500
    up.key_file.write_text(private_key())
    assert post_raw(up.function.url, push_of(made)).status_code == 200
    error, *done = up.lines(made)
    assert (error["severity"], error["reason"]) == ("ERROR", "app_refused")
    assert "\n" not in error["message"]
    assert [line["result"] for line in done] == ["done"] * 3 + ["would"]


def test_without_an_app_github_is_not_asked(up: Up, tmp_path: Path) -> None:
    """A dry run needs no App: each intended action has a row with the result `would`."""
    settings = environment(tmp_path, up.github, up.warehouse, up.dataset)
    for name in ("TRIAGE_MODE", "GITHUB_APP_ID", "GITHUB_APP_KEY_FILE"):
        del settings[name]
    made, asked = up.opened(), len(up.github.requests)
    with function("triage", tmp_path, settings) as running:
        assert post_raw(running.url, push_of(made)).status_code == 200
    assert [(row["result"], row["dry_run"]) for row in up.rows(made)] == [("would", True)] * 4
    assert len(up.github.requests) == asked


def test_every_problem_of_settings_rules_and_team_is_named_at_start(tmp_path: Path) -> None:
    """All problems are in one line, and every event is answered with 500: none is lost."""
    (tmp_path / "triage.toml").write_text('[[rule]]\nname = "a"\nadd_label = ["x"]\n')
    (tmp_path / "team.toml").write_text("[team]\nlogin = []\n")
    settings = {
        "TRIAGE_FILE": str(tmp_path / "triage.toml"),
        "TEAM_FILE": str(tmp_path / "team.toml"),
        "TRIAGE_MODE": "act",
    }
    with function("triage", tmp_path, settings) as running:
        [line] = running.log_lines()
        assert (line["severity"], line["reason"]) == ("CRITICAL", "configuration")
        for part in (
            "TRIAGE_MODE is act",
            "BIGQUERY_DATASET",
            "unknown key 'add_label'",
            "unknown key 'login'",
        ):
            assert part in line["message"]
        for post in (post_raw, post_cloud_event):
            assert post(running.url, push(b"{}", {"event": "push", "delivery_id": "d"})).status_code == 500
