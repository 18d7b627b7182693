"""deploy/read_json.py reads answers of GitHub and Google, and writes the bodies of requests."""

import json
import subprocess
import sys
from urllib.parse import parse_qs

import pytest

from tests.support.checkout import ROOT

ALERTS = sorted((ROOT / "deploy/alerts").glob("*.json"))
PING = {"event": "ping", "status_code": 200}


def read_json(command: str, *arguments: str, stdin: str = "") -> str:
    """Run one command; it must succeed."""
    outcome = run(command, *arguments, stdin=stdin)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    return outcome.stdout.removesuffix("\n")


def run(*arguments: str, stdin: str) -> subprocess.CompletedProcess[str]:
    """Run the program as deploy.sh does."""
    program = [sys.executable, "deploy/read_json.py", *arguments]
    return subprocess.run(program, cwd=ROOT, input=stdin, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("hooks", "found"),
    [
        ([], ""),
        ([{"id": 1, "config": {}}, {"id": 2}], ""),
        ([{"id": 1, "config": {"url": "https://x.run.app/other"}}], ""),
        ([{"id": 1}, {"id": 2, "config": {"url": "https://x.run.app/"}}], "2"),
        ([{"id": 3, "config": {"url": "https://x.run.app"}}], "3"),
    ],
)
def test_our_hook_is_found_by_its_url(hooks, found):
    """A hook is ours if its URL is ours, with or without the slash at its end."""
    assert read_json("hook-id", "https://x.run.app/", stdin=json.dumps(hooks)) == found


def test_a_hook_delivers_signed_json_over_verified_tls():
    """The body of the request contains our events, and the secret of stdin unchanged."""
    secret = 'with "quotes", \\ and ünïcode'
    body = json.loads(read_json("hook-body", "https://x.run.app/", "issues,issue_comment", stdin=secret))
    assert body == {
        "name": "web",
        "active": True,
        "events": ["issues", "issue_comment"],
        "config": {
            "url": "https://x.run.app/",
            "content_type": "json",
            "insecure_ssl": "0",
            "secret": secret,
        },
    }


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ('{"message": "Validation Failed", "errors": [{"message": "url is bad"}, {"code": "x"}]}', None),
        ('{"error": {"code": 400, "message": "Validation Failed url is bad"}}', None),
        ("<html>\n<b>Bad\tGateway</b>", "<html> <b>Bad Gateway</b>"),
        ('{"error": "text"}', '{"error": "text"}'),
        ("[1]", "[1]"),
        ("", ""),
        ("x" * 500, "x" * 100),
    ],
)
def test_an_error_message_is_one_line(answer, text):
    """An error of GitHub, Google or a proxy becomes one line."""
    expected = "Validation Failed url is bad" if text is None else text
    assert read_json("message", stdin=answer) == expected


@pytest.mark.parametrize(
    ("deliveries", "newest", "status"),
    [
        ([], "0", ""),
        ([PING | {"id": 5}], "5", ""),
        ([PING | {"id": 6, "status_code": 401}, PING | {"id": 5}], "6", "401"),
        (
            [PING | {"id": 8, "event": "issues"}, PING | {"id": 7}, PING | {"id": 6, "status_code": 0}],
            "8",
            "200",
        ),
    ],
)
def test_only_a_newer_ping_counts(deliveries, newest, status):
    """The status is that of the newest ping after a given delivery."""
    assert read_json("newest-delivery", stdin=json.dumps(deliveries)) == newest
    assert read_json("ping-status", "5", stdin=json.dumps(deliveries)) == status


NAMES = ("INGEST", "DEAD_SUBSCRIPTION", "SERVICES", "SUBSCRIPTIONS", "SILENCE_HOURS", "SILENCE_SECONDS")


@pytest.mark.parametrize("file", ALERTS, ids=lambda file: file.stem)
def test_an_alert_links_to_the_operations_guide(file):
    """Each policy has its own name and one condition, and links to a heading of docs/operations.md."""
    arguments = ("alert", str(file), "My title", "app=issuewire")
    values = (f"{name}=x" for name in NAMES)
    values = ("DOCS_URL=https://example.com/operations.md", *values)
    body = json.loads(read_json(*arguments, "a,b,", *values, stdin="{}"))
    assert body["notificationChannels"] == ["a", "b"]
    assert (body["displayName"], body["userLabels"]) == ("My title", {"app": "issuewire"})
    assert len(body["conditions"]) == 1
    assert "${" not in json.dumps(body)
    link = body["documentation"]["content"].rpartition("https://example.com/operations.md#")[2]
    headings = [
        line.lstrip("# ").lower().replace(" ", "-")
        for line in (ROOT / "docs/operations.md").read_text().splitlines()
        if line.startswith("#")
    ]
    assert link in headings
    other = {"name": "y", "displayName": "My title"}
    listed = {
        "alertPolicies": [{"name": "x"}, other, other | {"name": "z", "userLabels": {"app": "issuewire"}}]
    }
    assert read_json("policies", stdin=json.dumps(listed)) == "None|\nMy title|\nMy title|issuewire"
    assert read_json("policy-name", "My title", stdin=json.dumps(listed)) == "z"
    assert read_json("policy-name", "My title", stdin="{}") == ""
    listed["alertPolicies"][2]["notificationChannels"] = ["c", "d"]
    kept = json.loads(read_json(*arguments, "", *values, stdin=json.dumps(listed)))
    assert kept == body | {"notificationChannels": ["c", "d"]}


def test_a_value_of_an_alert_may_contain_quotes():
    """The placeholders are inside JSON strings, and their values contain quotes."""
    values = ('SERVICES="ingest" OR "log-only"', "DOCS_URL=x")
    file = ROOT / "deploy/alerts/error-lines.json"
    body = read_json("alert", str(file), "t", "app=issuewire", "", *values, stdin="{}")
    assert r"service_name = (\"ingest\" OR \"log-only\")" in body
    assert json.loads(body)["notificationChannels"] == []


def test_the_backlog_is_queried_for_ten_minutes():
    """The query names metric, subscriptions and an interval that ends now."""
    query = parse_qs(read_json("points-query", "num_undelivered_messages", "a", "b"), strict_parsing=True)
    assert 'metric.type="pubsub.googleapis.com/subscription/num_undelivered_messages"' in query["filter"][0]
    assert query["filter"][0].endswith('resource.labels.subscription_id = one_of("a", "b")')
    assert query["interval.startTime"] < query["interval.endTime"]


def test_the_newest_points_are_read():
    """Points are listed newest first; a subscription without one is left out."""
    series = [
        {
            "resource": {"labels": {"subscription_id": name}},
            "points": [{"value": {"int64Value": n}} for n in points],
        }
        for name, points in (("a", ["4", "9"]), ("b", []), ("c", ["0"]))
    ]
    assert read_json("newest-points", stdin=json.dumps({"timeSeries": series})) == "a|4\nc|0"
    assert read_json("newest-points", stdin="{}") == ""


URL = "https://ingest-abc-uc.a.run.app/"
ACTIVE = {"active": True, "events": ["issues", "issue_comment"], "config": {"url": URL}}


@pytest.mark.parametrize(
    ("hooks", "problem", "detail"),
    [
        ([], "is missing", ""),
        ([ACTIVE | {"config": {"url": "https://other"}}], "is missing", ""),
        (
            [ACTIVE, ACTIVE | {"config": {"url": "https://second"}}],
            "2 of them point here, delete all but one",
            "",
        ),
        ([ACTIVE | {"active": False}], "is not active", None),
        ([ACTIVE | {"events": ["issues"]}], "does not deliver issue_comment", None),
        (
            [ACTIVE | {"last_response": {"code": 401}}],
            "its last delivery was answered with 401, see docs",
            None,
        ),
        (
            [ACTIVE | {"last_response": {"code": None}}],
            "",
            "active, issues, issue_comment, last answer unknown",
        ),
        ([ACTIVE | {"last_response": {"code": 202}}], "", "active, issues, issue_comment, last answer 202"),
        ([ACTIVE | {"events": ["*"]}], "", "active, *, last answer unknown"),
    ],
)
def test_the_state_of_a_hook(hooks, problem, detail):
    """A hook must exist once, be active, deliver every event, and have a good last answer."""
    state = read_json("hook-state", "issues,issue_comment", URL, "https://second/", stdin=json.dumps(hooks))
    assert state.partition("|")[0].startswith(problem)
    assert bool(problem) == bool(state.partition("|")[0])
    assert detail is None or state.partition("|")[2] == detail


def test_the_error_of_slack():
    """An accepted call has none."""
    assert read_json("slack-error", stdin='{"ok": true}') == ""
    assert read_json("slack-error", stdin='{"ok": false, "error": "not_in_channel"}') == "not_in_channel"


def test_datasets_and_tables_are_listed_with_their_label():
    """One a line; for an empty project or dataset bq prints nothing, and neither do we."""
    mark = {"labels": {"app": "issuewire", "team": "x"}}
    found = [{"tableReference": {"tableId": "events"}, **mark}, {"tableReference": {"tableId": "issues"}}]
    assert read_json("labels", stdin=json.dumps(found)) == "events|issuewire\nissues|"
    found = [{"datasetReference": {"datasetId": "github"}, **mark}]
    assert read_json("labels", stdin=json.dumps(found)) == "github|issuewire"
    assert read_json("labels", stdin="") == read_json("labels", stdin="[]") == ""


@pytest.mark.parametrize(
    ("command", "arguments", "stdin"),
    [
        ("hook-id", ["u"], ""),
        ("hook-id", ["u"], "[{}]"),
        ("hook-id", ["u"], "<html>"),
        ("hook-id", ["u"], '{"message": "moved"}'),
        ("newest-delivery", [], '[{"guid": 1}]'),
        ("labels", [], "Welcome to BigQuery!"),
    ],
)
def test_an_answer_of_another_form_is_reported_in_one_line(command, arguments, stdin):
    """An answer without the documented form gives exit status 1 and one line, never a traceback."""
    outcome = run(command, *arguments, stdin=stdin)
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith(f"deploy.sh: the answer does not have the documented form ({command}: ")
    assert len(outcome.stderr.splitlines()) == 1
