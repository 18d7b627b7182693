"""ops send remembers an issue, and each event changes only what it is about."""

import json
import os
import re
import shlex
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.stream_bq.row import to_row
from ops import ROOT, local_stack
from ops.send import memory, target
from pipeline.events import IssueEvent
from tests.ops.send.receiver import SECRET, Receiver, invoke, last_line, read
from tests.support.endpoints import write_endpoints
from tests.support.warehouse import ISSUES, Warehouse

SAMPLE = ROOT / "samples" / "issues.opened.json"
COMMENT = ("--event", "issue_comment")
NUMBER = ("--number", "7")
README = re.findall(r"^\./issuewire send (.+)$", (ROOT / "README.md").read_text(), re.MULTILINE)


class Sender:
    """Sends to one ingest, and reads the last delivery."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver

    def send(self, *arguments: str, secret: str = SECRET) -> dict[str, Any]:
        """Send, and return the payload."""
        result = invoke(*arguments, "--url", self.receiver.url, "--secret", secret)
        assert result.exit_code == 0, result.output
        payload: dict[str, Any] = json.loads(self.receiver.requests[-1][1])
        return payload

    def events(self) -> list[IssueEvent]:
        """Return everything that was sent, as a subscriber reads it."""
        return [read(*request) for request in self.receiver.requests]


@pytest.fixture
def sender(receiver: Receiver) -> Sender:
    """Return a sender without a memory."""
    return Sender(receiver)


def row(event: IssueEvent) -> dict[str, Any]:
    """Return the row that stream_bq stores of the event."""
    return dict(to_row(event, event.received_at, store_payload=True).columns)


def files() -> list[Path]:
    """Return the files of all memories."""
    return sorted(memory.FOLDER.glob("*/*.json"))


def test_the_three_commands_of_readme_are_one_story(receiver: Receiver, warehouse: Warehouse) -> None:
    """README's commands send a sample, a second issue, and mona's comment, which is its first response."""
    write_endpoints(local_stack.ENDPOINTS, ingest_url=receiver.url, webhook_secret=SECRET)
    assert len(README) == 3
    for command in README:
        assert invoke(*shlex.split(command.replace("samples/", f"{ROOT}/samples/"))).exit_code == 0
    sample, opened, commented = sent = [read(*request) for request in receiver.requests]
    assert sample.issue is not None
    assert opened.issue is not None
    assert commented.issue is not None
    assert commented.comment is not None
    assert sample.issue.number == 41
    assert (opened.issue.number, opened.issue.title, opened.sender) == (7, "Export fails", "octocat")
    assert (commented.comment.author, commented.comment.body) == ("mona", "I can see it.")
    kept = {name: getattr(opened.issue, name) for name in ("id", "title", "author", "body", "created_at")}
    assert {name: getattr(commented.issue, name) for name in kept} == kept
    assert commented.issue.comments == 0
    dataset = warehouse.dataset(views=ISSUES)
    warehouse.insert(dataset, [row(event) for event in sent])
    query = "SELECT issue_number, author, first_response_at FROM `${DATASET}.issues` ORDER BY issue_number"
    seventh, first = warehouse.query(query, dataset)
    assert (seventh["author"], seventh["first_response_at"]) == ("octocat", commented.comment.created_at)
    assert (first["author"], first["first_response_at"]) == ("octavia", None)


def test_an_issue_that_is_closed_twice_keeps_the_time_of_its_close(sender: Sender) -> None:
    """A second close changes updated_at alone; after a reopening there is another close."""
    sender.send("--title", "One", *NUMBER)
    closes = [sender.send("--action", "closed", *NUMBER)["issue"] for _ in range(2)]
    sender.send("--action", "reopened", *NUMBER)
    last = sender.send("--action", "closed", *NUMBER)["issue"]
    assert closes[0]["closed_at"] == closes[1]["closed_at"] < last["closed_at"] == last["updated_at"]
    assert closes[0]["updated_at"] < closes[1]["updated_at"]


def test_an_event_changes_only_what_it_is_about(sender: Sender) -> None:
    """Labels, assignees, state, texts and comments stay until an event changes them."""
    first = sender.send("--title", "One", "--body", "Why?", "--author", "kim", "--label", "bug", *NUMBER)
    sender.send("--action", "labeled", "--label", "urgent", *NUMBER)
    sender.send("--action", "assigned", "--assignee", "mona", *NUMBER)
    sender.send("--action", "closed", "--author", "mona", *NUMBER)
    sender.send(*COMMENT, *NUMBER)
    sender.send("--action", "reopened", *NUMBER)
    sender.send("--action", "edited", "--title", "Two", *NUMBER)
    sender.send("--action", "unlabeled", *NUMBER)
    last = sender.send("--action", "unassigned", "--assignee", "mona", *NUMBER)
    seen = [event.issue for event in sender.events() if event.issue]
    assert [issue.title for issue in seen] == [*["One"] * 6, *["Two"] * 3]
    assert [issue.labels for issue in seen] == [("bug",), *[("bug", "urgent")] * 6, *[("urgent",)] * 2]
    assert [issue.assignees for issue in seen] == [(), (), *[("mona",)] * 6, ()]
    assert [issue.state for issue in seen] == [*["open"] * 3, "closed", "closed", *["open"] * 4]
    assert [issue.comments for issue in seen] == [*[0] * 5, *[1] * 4]
    assert {issue.author for issue in seen} == {"kim"}
    assert {issue.body for issue in seen} == {"Why?"}
    times = [issue.updated_at for issue in seen if issue.updated_at]
    assert sorted(set(times)) == times
    assert last["issue"]["id"] == first["issue"]["id"]


def test_comments_are_counted_and_the_last_one_is_changed(sender: Sender) -> None:
    """Each comment has an id of its own; an edit and a deletion are about the last one."""
    first = sender.send(*COMMENT, "--author", "mona", "--body", "One")["comment"]
    second = sender.send(*COMMENT, "--author", "kim", "--body", "Two")["comment"]
    edited = sender.send(*COMMENT, "--action", "edited", "--author", "kim", "--body", "Three")
    assert edited["changes"] == {"body": {"from": "Two"}}
    assert edited["comment"] == second | {"body": "Three", "updated_at": edited["comment"]["updated_at"]}
    deleted = sender.send(*COMMENT, "--action", "deleted")
    assert deleted["comment"] == edited["comment"]
    again = sender.send(*COMMENT, "--action", "deleted")
    assert again["comment"] == first
    third = sender.send(*COMMENT)["comment"]
    assert len({first["id"], second["id"], third["id"]}) == 3
    # GitHub counts a comment only in the deliveries after its own.
    seen = [event.issue.comments for event in sender.events() if event.issue]
    assert seen == [0, 1, 2, 2, 1, 0]


def test_a_sample_begins_the_memory(sender: Sender) -> None:
    """After a file, the next event is about the issue in it, with every field that GitHub had sent."""
    sample = json.loads(SAMPLE.read_text())["body"]
    sample["issue"] |= {"milestone": {"title": "v2"}, "labels": [{"id": 5, "name": "bug", "color": "00f"}]}
    sample["repository"]["id"] = 99
    del sample["organization"]
    Path("payload.json").write_text(json.dumps(sample))
    sender.send("payload.json")
    added = sender.send("--action", "labeled", "--label", "ui", "--number", "41", "--author", "mona")
    assert added["repository"] == sample["repository"]
    assert "organization" not in added
    assert added["issue"]["labels"][0] == sample["issue"]["labels"][0]
    assert [label["name"] for label in added["issue"]["labels"]] == ["bug", "ui"]
    changed = {name for name, value in added["issue"].items() if value != sample["issue"][name]}
    assert changed == {"labels", "updated_at"}


def test_a_comment_in_a_file_is_the_last_one(sender: Sender) -> None:
    """A comment in a file is counted, and the next edit is about it."""
    comment = sender.send(str(ROOT / "samples" / "issue_comment.created.json"))["comment"]
    edited = sender.send(*COMMENT, "--action", "edited", "--body", "x", "--number", "41")
    assert (edited["comment"]["id"], edited["issue"]["comments"]) == (comment["id"], 1)


def test_opening_again_keeps_the_issue(sender: Sender) -> None:
    """An issue that is opened twice keeps its author and its age; only what is given is new."""
    first = sender.send("--title", "One", "--author", "kim")
    second = sender.send("--title", "Two", "--author", "mona")
    changed = {name for name, value in second["issue"].items() if value != first["issue"][name]}
    assert changed == {"title", "updated_at"}
    assert second["sender"]["login"] == "kim"


@pytest.mark.parametrize("action", ["deleted", "transferred"])
def test_an_issue_that_is_gone_is_forgotten(sender: Sender, action: str) -> None:
    """A deleted or transferred issue is forgotten: its number then means a new one."""
    if action == "deleted":
        sender.send("--title", "One", "--number", "43")
        sender.send("--action", "deleted", "--number", "43")
    else:
        sender.send(str(ROOT / "samples" / "issues.transferred.json"))
    assert files() == []
    assert sender.send("--action", "closed", "--number", "43")["issue"]["title"] == "A test issue"


def test_an_event_of_an_unknown_issue_says_so(receiver: Receiver) -> None:
    """An event of an issue that was not sent is about a new one of octocat's, and the line says so."""
    result = invoke(*COMMENT, "--author", "mona", "--url", receiver.url, "--secret", SECRET)
    assert "Sending issue_comment.created of the new issue acme/app#1 (" in result.stderr
    issue = read(*receiver.sent).issue
    assert issue is not None
    assert issue.author == "octocat"
    again = invoke("--action", "closed", "--url", receiver.url, "--secret", SECRET)
    assert "Sending issues.closed of acme/app#1 (" in again.stderr


def test_a_number_is_remembered_for_each_repository(sender: Sender) -> None:
    """Issues of the same number in two repositories are two; the case of a name does not matter."""
    sender.send("--title", "One", "--repository", "acme/app")
    sender.send("--title", "Two", "--repository", "acme/web")
    assert sender.send("--action", "closed", "--repository", "Acme/App")["issue"]["title"] == "One"


def test_a_restarted_stack_knows_no_issue(sender: Sender) -> None:
    """Make serve makes up a new secret at each start; issues of an earlier one are not known to it."""
    sender.send("--title", "One", secret="first")
    assert sender.send("--action", "closed", secret="second")["issue"]["title"] == "A test issue"
    assert sender.send("--action", "closed", secret="first")["issue"]["title"] == "One"


def test_each_url_has_a_memory_of_its_own(sender: Sender) -> None:
    """What one ingest was sent is not known to another; a slash at the end makes no other URL."""
    sender.send("--title", "One")
    base = sender.receiver.url
    for url, title in ((base.rstrip("/"), "One"), (f"{base}other", "A test issue")):
        assert invoke("--url", url, "--secret", SECRET, "--action", "closed").exit_code == 0
        assert json.loads(sender.receiver.requests[-1][1])["issue"]["title"] == title


@pytest.mark.parametrize("status", [401, 503])
def test_what_is_refused_is_not_remembered(receiver: Receiver, sender: Sender, status: int) -> None:
    """A delivery that ingest refuses changes nothing in the memory."""
    sender.send("--title", "One")
    before = files()[0].read_bytes()
    receiver.status = status
    assert invoke("--action", "closed", "--url", receiver.url, "--secret", SECRET).exit_code == 1
    assert files()[0].read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"{}", b"\xff", b"[" * 200_000),
        b'{"repository": {}, "organization": null, "issue": {}, "comments": []}',
        b'{"repository": {"full_name": "o/r"}, "organization": 5, "issue": {"number": 1}, "comments": [ ]}',
        b'{"repository": {"full_name": "o/r"}, "organization": {}, "issue": {"number": 1}, "comments": [1]}',
    ],
    ids=lambda content: f"{content[:3]!r}-{content[-12:]!r}",
)
def test_a_damaged_file_is_named(sender: Sender, content: bytes) -> None:
    """A damaged file is named with what to do, and nothing is sent; without it, the issue is a new one."""
    sender.send("--title", "One")
    [path] = files()
    path.write_bytes(content)
    again = ("--action", "closed", "--url", sender.receiver.url, "--secret", SECRET)
    line = last_line(invoke(*again), 1)
    assert line == f"Error: {path} is damaged; remove it, and the issue is a new one"
    assert len(sender.receiver.requests) == 1
    path.unlink()
    assert invoke(*again).exit_code == 0


@pytest.mark.parametrize(
    "issue",
    [
        {"number": 2**63},
        {"number": True},
        {"number": -1},
        {"number": 5, "title": 1, "user": 2, "labels": "x", "assignees": [3], "comments": None},
        {"number": 5, "updated_at": "9999-12-31T23:59:59Z", "created_at": "x", "state": []},
    ],
    ids=str,
)
def test_any_payload_can_be_sent_and_continued(sender: Sender, issue: dict[str, Any]) -> None:
    """A payload whose issue is not GitHub's is sent; what can be read of it is continued."""
    Path("odd.json").write_text(json.dumps({"issue": issue, "repository": {"full_name": "o/r"}}))
    for _ in range(2):
        sender.send("odd.json", "--event", "issue_comment")
        sender.send(*COMMENT, "--repository", "o/r", "--number", "5")
        sender.send("--action", "labeled", "--repository", "o/r", "--number", "5")
        sender.send("--action", "assigned", "--repository", "o/r", "--number", "5")


def test_the_memory_is_private_and_short(sender: Sender) -> None:
    """Only their owner can read the folders, and those that were not used for a month are removed."""
    sender.send(secret="old")
    [old] = memory.FOLDER.iterdir()
    assert old.stat().st_mode & 0o077 == 0
    month = time.time() - 31 * 24 * 3600
    os.utime(old, (month, month))
    sender.send(secret="new")
    assert old not in memory.FOLDER.iterdir()


def test_a_memory_that_cannot_be_written_is_named(receiver: Receiver, tmp_path: Path) -> None:
    """If the folder cannot be made, one line names it, and nothing is sent; a ping needs no memory."""
    (tmp_path / ".local").write_text("a file")
    line = last_line(invoke("--url", receiver.url, "--secret", SECRET), 1)
    assert re.fullmatch(rf"Error: {memory.FOLDER}/\w+ cannot be written: Not a directory", line)
    assert receiver.requests == []
    assert invoke("--url", receiver.url, "--secret", SECRET, "--event", "ping").exit_code == 0


def test_two_sends_at_once_lose_nothing(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    """A send waits until another one of the same moment has ended, and continues what that has left."""
    sender.send("--title", "One")
    [folder] = memory.FOLDER.iterdir()
    other, name = memory.IssueMemory(folder=folder), ("acme/app", 1)
    turn = ExitStack()
    turn.enter_context(other.locked())
    before = other.recall(name)
    assert before is not None

    def end(_seconds: float) -> None:
        other.keep(name, replace(before, issue=before.issue | {"comments": 5}))
        turn.close()

    monkeypatch.setattr(memory, "time", SimpleNamespace(monotonic=time.monotonic, sleep=end))
    assert sender.send(*COMMENT)["issue"]["comments"] == 5


def test_a_send_that_does_not_end_holds_up_no_other(
    receiver: Receiver, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A send waits for another one to the same URL as long as a delivery takes, then ends with one line."""
    sender.send()
    [folder] = memory.FOLDER.iterdir()
    monkeypatch.setattr(memory, "TIMEOUT_SECONDS", 0.1)
    with memory.IssueMemory(folder=folder).locked():
        line = last_line(invoke("--url", receiver.url, "--secret", SECRET), 1)
    assert line == "Error: another send to this URL has not ended; try again"
    assert target.TIMEOUT_SECONDS == 30
