"""deploy/read_json.py takes the answers of GitHub and Google apart, and writes bodies."""

import json
import subprocess
import sys
from urllib.parse import parse_qs

import pytest

from tests.deploy.checkout import ROOT

ALERTS = sorted((ROOT / "deploy/alerts").glob("*.json"))
PING = {"event": "ping", "status_code": 200}


def read_json(command: str, *arguments: str, stdin: str = "") -> str:
    """Run one command; it must succeed."""
    done = run(command, *arguments, stdin=stdin)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.removesuffix("\n")


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
def test_our_hook_is_known_by_its_url(hooks, found):
    """A hook is ours when its URL is, with or without the slash at its end."""
    assert read_json("hook-id", "https://x.run.app/", stdin=json.dumps(hooks)) == found


def test_a_hook_is_json_signed_and_checked():
    """The body asks for JSON, TLS that is checked, our events, and carries the secret of stdin as it is."""
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
    ("answer", "words"),
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
def test_what_is_wrong_is_said_in_one_line(answer, words):
    """GitHub's, Google's and a proxy's refusals all end in one line of words."""
    expected = "Validation Failed url is bad" if words is None else words
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
    """The status is that of the newest ping after the delivery that was the newest before."""
    assert read_json("newest-delivery", stdin=json.dumps(deliveries)) == newest
    assert read_json("ping-status", "5", stdin=json.dumps(deliveries)) == status


@pytest.mark.parametrize("file", ALERTS, ids=lambda file: file.stem)
def test_an_alert_says_what_to_type(file):
    """Each policy is told by name, has one condition, and links to a heading of docs/operations.md."""
    body = json.loads(read_json("alert", str(file), "https://example.com/operations.md", "a,b,"))
    assert body["notificationChannels"] == ["a", "b"]
    assert len(body["conditions"]) == 1
    assert "${" not in json.dumps(body)
    link = body["documentation"]["content"].rpartition("https://example.com/operations.md#")[2]
    headings = [
        line.lstrip("# ").lower().replace(" ", "-")
        for line in (ROOT / "docs/operations.md").read_text().splitlines()
        if line.startswith("#")
    ]
    assert link in headings
    listed = {"alertPolicies": [{"name": "x"}, {"name": "y", "displayName": body["displayName"]}]}
    assert read_json("policy-name", str(file), stdin=json.dumps(listed)) == "y"
    assert read_json("policy-name", str(file), stdin="{}") == ""
    assert read_json("policy-channels", str(file), stdin=json.dumps(listed)) == ""
    listed["alertPolicies"][1]["notificationChannels"] = ["c", "d"]
    assert read_json("policy-channels", str(file), stdin=json.dumps(listed)) == "c,d"


def test_an_alert_without_channels_names_none():
    """No channel is an empty list, not a list with an empty name."""
    assert json.loads(read_json("alert", str(ALERTS[0]), "x", ""))["notificationChannels"] == []


def test_the_depth_is_asked_for_ten_minutes():
    """The query names metric, subscription and an interval of ten minutes that ends now."""
    query = parse_qs(read_json("depth-query", "hold"), strict_parsing=True)
    assert "num_undelivered_messages" in query["filter"][0]
    assert query["filter"][0].endswith('resource.labels.subscription_id="hold"')
    assert query["interval.startTime"] < query["interval.endTime"]


@pytest.mark.parametrize(
    ("answer", "depth"),
    [
        ("{}", ""),
        ('{"timeSeries": []}', ""),
        ('{"timeSeries": [{"points": []}]}', ""),
        (
            '{"timeSeries": [{"points": [{"value": {"int64Value": "4"}}, {"value": {"int64Value": "9"}}]}]}',
            "4",
        ),
    ],
)
def test_the_newest_depth_counts(answer, depth):
    """Points come newest first; without one there is no figure."""
    assert read_json("newest-point", stdin=answer) == depth


def test_tables_are_listed_one_a_line():
    """An empty dataset, for which bq prints nothing, has none."""
    found = [{"tableReference": {"tableId": name}} for name in ("events", "issues")]
    assert read_json("tables", stdin=json.dumps(found)) == "events\nissues"
    assert read_json("tables", stdin="") == read_json("tables", stdin="[]") == ""


@pytest.mark.parametrize(
    ("command", "arguments", "stdin"),
    [
        ("id", [], ""),
        ("id", [], "{}"),
        ("hook-id", ["u"], "<html>"),
        ("hook-id", ["u"], '{"message": "moved"}'),
        ("newest-delivery", [], '[{"guid": 1}]'),
        ("tables", [], "Welcome to BigQuery!"),
    ],
)
def test_an_answer_of_another_form_is_told_in_one_line(command, arguments, stdin):
    """What is not as promised ends in exit status 1 and one line, never in a traceback or in nothing."""
    done = run(command, *arguments, stdin=stdin)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"deploy.sh: the answer is not what was promised ({command}: ")
    assert len(done.stderr.splitlines()) == 1
