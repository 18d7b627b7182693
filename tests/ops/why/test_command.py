"""ops why: the command, with BigQuery's stand-in and the logs of files."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from functions.stream_bq.row import to_row
from ops import local_stack
from ops.__main__ import ops
from ops.report import command as report
from ops.send import accounts, payloads
from ops.why import command, logs
from ops.why.fetch import StoredIssue
from pipeline.delivery import Delivery
from pipeline.events import IssueEvent
from tests.ops.why.support import ROUTES, stored
from tests.support.endpoints import write_endpoints
from tests.support.messages import NOON, an_issue
from tests.support.warehouse import PROJECT, Warehouse

MONA = accounts.Account(login="mona")
OLD, NEW = accounts.Repository(full_name="acme/old"), accounts.Repository(full_name="acme/app")


def row(
    event: payloads.Event, delivery_id: str, hours: int, *, payload: bool = True, id_: int = 1
) -> dict[str, Any]:
    """Return the row of a delivery from the repository of this id, received some hours after noon."""
    event.payload["repository"]["id"] = id_
    at = NOON + timedelta(hours=hours)
    body = json.dumps(event.payload).encode()
    delivery = Delivery(delivery_id=delivery_id, event=event.name, body=body, received_at=at)
    return dict(to_row(IssueEvent.from_delivery(delivery), at, store_payload=payload).columns)


@pytest.fixture(scope="module")
def dataset(warehouse: Warehouse) -> str:
    """Return a dataset with issues of a renamed repository. It has no other views: they take time."""
    name = warehouse.dataset(views=["issue_events"])
    seven = an_issue(repository=OLD, labels=["bug"])
    opened = row(seven.opened(), "d-1", 0)
    later = an_issue(repository=NEW, labels=["docs"])
    bot = accounts.Account(login="renovate[bot]", type="Bot")
    eight = an_issue(repository=NEW, number=8, labels=["bug"], author=bot, assignees=[MONA])
    rows = [
        opened,
        opened | {"received_at": (NOON + timedelta(minutes=5)).isoformat()},
        row(later.commented(MONA, NOON, "x"), "d-2", 1),
        row(eight.opened(), "d-3", 2, payload=False),
        row(an_issue(repository=NEW, number=9, is_pull_request=True).opened(), "d-4", 3, payload=False),
        row(an_issue(repository=OLD, number=5).opened(), "d-5", 4, id_=2),
    ]
    warehouse.insert(name, rows)
    return name


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warehouse: Warehouse) -> Path:
    """Work in a folder with routes and empty logs, and with the stand-in of BigQuery."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(local_stack, "ENDPOINTS", tmp_path / ".local" / "endpoints.json")
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", warehouse.url)
    monkeypatch.setenv("PATH", str(tmp_path))  # without gcloud
    monkeypatch.delenv("BIGQUERY_DATASET", raising=False)
    monkeypatch.setattr(report, "QUIET_SECONDS", 600.0)  # on a slow machine there is progress too
    Path("ours.toml").write_text(ROUTES)
    Path("logs").mkdir()
    return tmp_path


def invoke(*arguments: str) -> Result:
    """Run the command in the test's process."""
    result = CliRunner().invoke(ops, ["why", *arguments], prog_name="issuewire")
    assert isinstance(result.exception, SystemExit | None)
    return result


def ask(issue: str, dataset: str, *arguments: str) -> Result:
    """Ask about an issue of the dataset."""
    return invoke(issue, "--project", PROJECT, "--dataset", dataset, "--file", "ours.toml", *arguments)


def test_an_issue_of_a_renamed_repository(dataset: str) -> None:
    """Each delivery under any name of the repository is shown once, and the last line is the answer."""
    result = ask("acme/app#7", dataset)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "acme/app#7: 2 deliveries"
    assert lines[2] == "2026-01-05 12:00:00 UTC  issues.opened by octavia  d-1"
    assert "  routes        matches   bugs -> C1, C2" in lines
    assert "2026-01-05 13:00:00 UTC  issue_comment.created by mona  d-2" in lines
    assert "The logs were left out: gcloud is not installed." in lines
    assert lines[-1].startswith(
        "By the routes file, issues.opened of acme/app#7 makes a card in C1, C2; whether"
    )


def test_a_name_means_the_repository_that_has_it_now(dataset: str) -> None:
    """A former name that another repository has taken means that other one."""
    assert ask("acme/old#7", dataset).exit_code == 1
    assert "acme/old#5: 1 delivery" in ask("ACME/old#5", dataset).stdout.replace("ACME", "acme")


@pytest.mark.parametrize(
    ("issue", "why"),
    [
        ("acme/app#8", "bugs: the author 'renovate[bot]' is muted by *[bot]"),
        ("acme/app#9", "no card is made of a pull request"),
    ],
)
def test_rows_without_a_payload_are_explained(dataset: str, issue: str, why: str) -> None:
    """A row whose payload is not stored is explained by its columns."""
    found = json.loads(ask(issue, dataset, "--json").stdout)
    assert found["answer"] == f"{issue} has no card because {why}."
    assert found["deliveries"][0]["payload_stored"] is False


def test_the_logs_of_a_folder(dataset: str) -> None:
    """What a function logged is shown with its delivery, and is the answer."""
    about = {"repository": "acme/old", "issue": 7, "delivery_id": "d-1", "severity": "INFO"}
    Path("logs/notify_slack.log").write_text(json.dumps(about | {"outcome": "posted", "channel": "C1"}))
    result = ask("acme/app#7", dataset, "--logs", "logs")
    assert "  notify_slack  posted in C1" in result.stdout.splitlines()
    assert result.stdout.endswith("acme/app#7 has a card in C1.\n")


def test_a_running_stack_is_found(dataset: str, warehouse: Warehouse, folder: Path) -> None:
    """With --local, the rows, the routes and the logs are those of the running `make serve`."""
    about = {
        "repository": "acme/app",
        "issue": 7,
        "delivery_id": "d-1",
        "outcome": "not_shown",
        "why": "muted",
    }
    Path("logs/notify_slack.log").write_text(json.dumps(about))
    here = {"dataset": dataset, "routes": str(folder / "ours.toml"), "logs": str(folder / "logs")}
    write_endpoints(local_stack.ENDPOINTS, bigquery_url=warehouse.url, project=PROJECT, **here)
    result = invoke("acme/app#7", "--local")
    assert result.exit_code == 0
    assert "what notify_slack logged last: muted." in result.stdout


def test_an_issue_of_which_nothing_arrived(dataset: str) -> None:
    """An unknown issue or repository ends with status 1 and says what to check next."""
    result = ask("acme/app#404", dataset, "--logs", "logs")
    assert (result.exit_code, result.stderr) == (1, "")
    assert "No delivery about acme/app#404 has arrived: none is stored or logged." in result.stdout
    unknown = ask("acme/unknown#7", dataset, "--json")
    found = json.loads(unknown.stdout)
    assert (unknown.exit_code, found["deliveries"], found["has_card"]) == (1, [], False)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("acme/app",), 2, "Error: Invalid value for 'OWNER/REPO#NUMBER': is not of the form OWNER/REPO#123"),
        (("acme/app#7",), 2, "Error: give --project, or set BIGQUERY_DATASET to PROJECT.DATASET"),
        (
            ("acme/app#7", "--project", PROJECT, "--file", "no.toml"),
            1,
            "Error: no.toml cannot be read: No such file",
        ),
        (("acme/app#7", "--project", PROJECT, "--dataset", "no_such"), 1, "Error: a table or view of "),
        (("acme/app#7", "--local"), 1, "Error: make serve is not running"),
        (("acme/app#7", "--project", PROJECT, "--days", "0"), 2, "Error: Invalid value for '--days'"),
    ],
)
def test_what_cannot_be_answered_is_one_line(arguments: tuple[str, ...], status: int, message: str) -> None:
    """A wrong call and a missing table are one line that names the fix."""
    result = invoke(
        *arguments, *(() if "--file" in arguments or "--local" in arguments else ("--file", "ours.toml"))
    )
    assert (result.exit_code, result.stdout) == (status, "")
    assert result.stderr.splitlines()[-1].startswith(message)


def test_the_logs_are_read_from_the_first_delivery_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time that is read is bounded by --days and by an hour before the first delivery."""
    seen: list[tuple[datetime, datetime]] = []
    monkeypatch.setattr(logs, "from_cloud", lambda *arguments: seen.append(arguments[3:]))
    found = StoredIssue(names=("acme/app",), deliveries=(stored(),))
    command.read_logs("p", None, found, 7, 3650)
    command.read_logs("p", None, found, 7, 1)
    command.read_logs("p", None, StoredIssue(names=("acme/app",), deliveries=()), 7, 2)
    assert seen[0][0] == NOON - timedelta(hours=1)
    assert [until - since for since, until in seen[1:]] == [timedelta(days=1), timedelta(days=2)]
