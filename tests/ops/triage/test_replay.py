"""triage replay tries the rules on the events that are stored."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops.__main__ import ops
from ops.send import accounts
from tests.support.messages import NOON, an_issue
from tests.support.rows import stored
from tests.support.warehouse import PROJECT, Warehouse

MONA = accounts.Account(login="mona")
WEB = accounts.Repository(full_name="acme/web")
DAY = timedelta(days=1)
RULES = """
[[rule]]
name = "parser"
words_any = ["parser"]
add_labels = ["bug"]
assign = ["mona"]
[[rule]]
name = "answer"
events = ["issue_comment.created"]
labels_all = ["needs-info"]
author = "outsider"
words_any = ["here it is"]
comment = "Thanks!"
"""


ASKED = an_issue(number=9, labels=["needs-info"])
ROWS = [
    stored(an_issue(body="The Parser fails").opened(), "a", NOON),
    stored(an_issue(body="The Parser fails").opened(), "a", NOON + DAY),
    stored(an_issue(number=8, title="parser").opened(), "b", NOON, with_payload=False),
    stored(
        an_issue(number=7, repository=WEB, body="parser", labels=["bug"], created_at=NOON + DAY).opened(),
        "c",
        NOON + 9 * DAY,
        source="backfill",
    ),
    stored(ASKED.commented(accounts.Account(login="octavia"), NOON + DAY, "Here it is"), "d", NOON + DAY),
    stored(ASKED.commented(MONA, NOON + DAY, "here it is"), "e", NOON + DAY),
    stored(an_issue(number=10, body="parser", created_at=NOON - DAY).opened(), "early", NOON - DAY),
    stored(an_issue(number=11, body="parser", created_at=NOON + 2 * DAY).opened(), "late", NOON + 2 * DAY),
    stored(an_issue(is_pull_request=True, labels=["needs-info"]).commented(MONA, NOON, "x"), "pull", NOON),
    stored(an_issue().deleted(MONA, NOON), "deleted", NOON),
]
SPAN = ("--since", "2026-01-05", "--until", "2026-01-07T12:00Z")


@pytest.fixture(scope="module")
def dataset(warehouse: Warehouse) -> str:
    """Return a dataset with the rows."""
    name = warehouse.dataset(views=["issue_events"])
    warehouse.insert(name, ROWS)
    return name


@pytest.fixture(autouse=True)
def place(warehouse: Warehouse, dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead the command to the dataset, and to the files of a folder."""
    (tmp_path / "triage.toml").write_text(RULES)
    (tmp_path / "team.toml").write_text('[team]\nlogins = ["mona"]\n')
    monkeypatch.setenv("TRIAGE_FILE", str(tmp_path / "triage.toml"))
    monkeypatch.setenv("TEAM_FILE", str(tmp_path / "team.toml"))
    monkeypatch.setenv("BIGQUERY_DATASET", f"{PROJECT}.{dataset}")
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", warehouse.url)


def run(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(ops, ["triage", "replay", *arguments], prog_name="issuewire")


def test_each_event_with_something_to_do_has_its_line() -> None:
    """Copies count once, backfilled events count when they happened, and other days do not."""
    result = run(*SPAN)
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        [
            "2026-01-05 12:00  acme/app#7 issues.opened: parser adds 'bug', assigns mona",
            "2026-01-05 12:00  acme/app#8 issues.opened: parser adds 'bug', assigns mona",
            "2026-01-06 12:00  acme/app#9 issue_comment.created: answer comments 'Thanks!'",
            "2026-01-06 12:00  acme/web#7 issues.opened: parser assigns mona",
            "6 events that the rules name, 1 without effect (pull_request 1); 4 issues would have changed.",
            "  parser  3 events match: 2 labels, 3 assignees",
            "  answer  1 event matches: 1 comment",
        ],
    )
    assert result.stderr == (
        "Warning: 1 event has no payload in BigQuery (STORE_PAYLOAD, PAYLOAD_DAYS), so words_any saw the"
        " title alone\n"
    )


def test_scripts_get_the_decisions_as_json() -> None:
    """The JSON has the numbers of each rule and each event with something to do."""
    found = json.loads(run(*SPAN, "--json", "--repository", "ACME/web").stdout)
    assert found["decisions"] == [
        {
            "delivery_id": "c",
            "event": "issues.opened",
            "at": "2026-01-06T12:00:00.000000Z",
            "issue": "acme/web#7",
            "actions": [{"rule": "parser", "what": "assign", "value": "mona", "dry_run": False}],
        }
    ]
    assert (found["events"], found["issues"], found["more"], found["without_payload"]) == (1, 1, False, 0)


def test_the_limit_is_said() -> None:
    """With --limit the oldest events are tried, and a line says that there are more."""
    result = run(*SPAN, "--limit", "2")
    assert "there are more events than the first 2; raise --limit" in result.stderr
    assert result.stdout.count("issues.opened") == 2 - ("pull" in result.stdout)


def test_without_words_no_payload_is_read(tmp_path: Path) -> None:
    """Rules that look at no text find all they need in the other columns."""
    rules = tmp_path / "plain.toml"
    rules.write_text('[[rule]]\nname = "all"\nadd_labels = ["new"]')
    result = run(*SPAN, "--file", str(rules))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1] == "  all  3 events match: 3 labels"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            (*SPAN, "--repository", "acme/none"),
            "nothing is stored of acme/none; stored are: acme/app, acme/web",
        ),
        ((*SPAN, "--dataset", "no_such"), "is missing; run ./issuewire schema apply"),
        ((*SPAN, "--file", "no.toml"), "no.toml cannot be read: No such file or directory"),
        ((*SPAN, "--file", "/dev/null"), "/dev/null has no rule to try"),
        (("--since", "2026-01-07", "--until", "2026-01-05"), "--until is not after --since"),
        (("--since", "2999-01-01"), "--since is in the future"),
        ((), "Missing option '--since'"),
        ((*SPAN, "--limit", "0"), "0 is not in the range"),
    ],
)
def test_what_cannot_be_tried_is_one_error(arguments: tuple[str, ...], error: str) -> None:
    """A wrong call, a missing table, an unknown repository and an empty file are named."""
    result = run(*arguments)
    assert result.exit_code in {1, 2}
    assert error in result.stderr.splitlines()[-1]
    assert result.stdout == ""
