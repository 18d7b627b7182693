"""ops routes: the routes file is checked, and a delivery is explained."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ops.__main__ import ops
from ops.send import accounts, payloads
from tests.support.messages import NOON, an_issue

ROOT = Path(__file__).parents[3]
MONA = accounts.Account(login="mona")
BOT = accounts.Account(login="dependabot[bot]", type="Bot")
ROUTES = """
[[route]]
name = "people"
channels = ["C1", "C2"]
repositories = ["acme/*"]
[[route]]
name = "others"
channels = ["C3"]
repositories = ["beta/*"]
[[route]]
name = "all"
channels = ["C2", "C4"]
mute_authors = []
private = "never"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in a folder with ours.toml, the file that is used if a test names no other."""
    (tmp_path / "config").mkdir()
    (tmp_path / "ours.toml").write_text(ROUTES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke(*arguments: str, stdin: bytes | None = None) -> Result:
    """Run the command in the test's process, and check that it does not crash."""
    file = [] if "--file" in arguments else ["--file", "ours.toml"]
    result = CliRunner().invoke(ops, ["routes", *arguments, *file], input=stdin, prog_name="issuewire")
    assert isinstance(result.exception, SystemExit | None)
    return result


def saved(event: payloads.Event) -> str:
    """Save the payload and return the file's name."""
    Path("payload.json").write_text(json.dumps(event.payload))
    return "payload.json"


def explain(event: payloads.Event, *arguments: str) -> list[str]:
    """Return the lines that explain the event."""
    result = invoke("explain", saved(event), *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout.splitlines()


# check


def test_a_valid_file_is_summarised_in_one_line_per_route() -> None:
    """A valid file gives status 0 and one line per route, with defaults; the last line has what all share."""
    result = invoke("check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "people -> C1, C2: repositories acme/*; events all; private any; mutes *[bot]; format compact",
        "others -> C3: repositories beta/*; events all; private any; mutes *[bot]; format compact",
        "all -> C2, C4: repositories *; events all; private never; mutes no one; format compact",
        "no people known to Slack; more than 10 new issues a minute in a channel fold",
    ]


FULL = """
[defaults]
format = "full"
fold_over = 0
[people]
octavia = "U1"
mona = "U2"
[[route]]
name = "urgent"
channels = ["C1"]
labels_any = ["bug", "out of order"]
labels_all = ["p1"]
labels_none = ["wontfix"]
events = ["issues.opened", "issues.labeled", "issues.unlabeled"]
mention = ["U1", "U2", "S1"]
[[route]]
name = "all"
channels = ["C2", "C1"]
"""


def test_labels_mentions_and_folding_are_summarised() -> None:
    """A route's line shows its labels, quoted because of spaces and commas, its mentions and its folding."""
    Path("mine.toml").write_text(FULL)
    labels = "labels_any 'bug', 'out of order'; labels_all 'p1'; labels_none 'wontfix'"
    events = "events issues.opened, issues.labeled, issues.unlabeled"
    rest = "private any; mutes *[bot]; format full; mentions U1, U2, S1"
    assert invoke("check", "--file", "mine.toml").stdout.splitlines() == [
        f"urgent -> C1: repositories *; {labels}; {events}; {rest}",
        "all -> C2, C1: repositories *; events all; private any; mutes *[bot]; format full",
        "2 people known to Slack; new issues never fold",
    ]
    Path("mine.toml").write_text(FULL.replace('mona = "U2"', "").replace("fold_over = 0", "fold_over = 3"))
    assert invoke("check", "--file", "mine.toml").stdout.splitlines()[-1] == (
        "1 person known to Slack; more than 3 new issues a minute in a channel fold"
    )


def test_problems_are_reported_one_per_line() -> None:
    """Problems go to stderr, one per line with file and line number; the status is 1."""
    Path("mine.toml").write_text('[people]\nmona = "@mona"\n[[route]]\nchanels = ["C1"]\nlabels_any = []\n')
    result = invoke("check", "--file", "mine.toml")
    assert (result.exit_code, result.stdout) == (1, "")
    known = (
        "(known: channels, events, format, labels_all, labels_any, labels_none, mention, mute_authors, name,"
        " private, repositories)"
    )
    assert result.stderr.splitlines() == [
        "mine.toml: line 2: people: 'mona' needs a Slack user id such as U0123456789",
        f"mine.toml: line 4: route 1: unknown key 'chanels', did you mean 'channels'? {known}",
        "mine.toml: line 3: route 1: channels must be a list of channel ids such as C0123456789",
        'mine.toml: line 5: route 1: labels_any must be a list of labels such as "bug"',
    ]


def test_a_script_reads_the_check_as_json() -> None:
    """With --json, the check prints one object for a valid and for an invalid file."""
    Path("mine.toml").write_text(FULL)
    good = invoke("check", "--file", "mine.toml", "--json")
    outcome = json.loads(good.stdout)
    assert (good.exit_code, outcome["problems"], outcome["warnings"]) == (0, [], [])
    assert (outcome["people"], outcome["fold_over"]) == ({"octavia": "U1", "mona": "U2"}, 0)
    assert outcome["routes"][0] == {
        "name": "urgent",
        "channels": ["C1"],
        "repositories": ["*"],
        "labels_any": ["bug", "out of order"],
        "labels_all": ["p1"],
        "labels_none": ["wontfix"],
        "events": ["issues.opened", "issues.labeled", "issues.unlabeled"],
        "private": "any",
        "mute_authors": ["*[bot]"],
        "format": "full",
        "mention": ["U1", "U2", "S1"],
    }
    Path("mine.toml").write_text("")
    bad = invoke("check", "--file", "mine.toml", "--json")
    assert bad.exit_code == 1
    assert json.loads(bad.stdout) == {"problems": ["mine.toml: there is no [[route]]"]}


def test_a_file_with_a_byte_order_mark_is_accepted() -> None:
    """The check accepts every file that the function accepts."""
    Path("mine.toml").write_bytes(b"\xef\xbb\xbf" + ROUTES.encode())
    assert invoke("check", "--file", "mine.toml").exit_code == 0


@pytest.mark.parametrize("command", [["check"], ["explain", "payload.json"]])
@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("none.toml", "No such file or directory"),
        ("config", "Is a directory"),
        ("raw", "it is not UTF-8; save it as UTF-8"),
    ],
)
def test_a_routes_file_that_cannot_be_read_is_one_line(command: list[str], name: str, cause: str) -> None:
    """An unreadable routes file is reported in one line with its name and the cause; the status is 1."""
    Path("raw").write_bytes(b"\xff")
    saved(an_issue().opened())
    result = invoke(*command, "--file", name)
    assert (result.exit_code, result.output) == (1, f"Error: {name} cannot be read: {cause}\n")


def test_the_shipped_file_is_the_default() -> None:
    """From any folder, the command reads the checkout's config/routes.toml if no option names a file."""
    result = CliRunner().invoke(ops, ["routes", "check"])
    assert result.stdout.startswith("everything -> C0123456789: ")


# explain


def test_each_route_and_each_channel_has_a_line() -> None:
    """The explanation has a line for each route, followed by one for each channel."""
    assert explain(an_issue().opened()) == [
        "matches   people -> C1, C2",
        "skips     others: 'acme/app' matches none of beta/*",
        "matches   all -> C2, C4",
        "Card in C1: compact.",
        "Card in C2: compact.",
        "Card in C4: compact.",
    ]


def test_a_line_has_all_reasons_of_its_route() -> None:
    """The line of a route that does not match lists every reason."""
    repository = accounts.Repository(full_name="gamma/app", private=True)
    muted = "the author 'dependabot[bot]' is muted by *[bot]"
    assert explain(an_issue(author=BOT, repository=repository).opened()) == [
        f"skips     people: 'gamma/app' matches none of acme/*; {muted}",
        f"skips     others: 'gamma/app' matches none of beta/*; {muted}",
        "skips     all: the repository is private, or does not say, and the route takes public ones only",
        "No card: no route matches.",
    ]


def explain_full(event: payloads.Event, *arguments: str) -> list[str]:
    """Return the explanation by the file that uses every key."""
    Path("mine.toml").write_text(FULL)
    return explain(event, "--file", "mine.toml", *arguments)


def test_a_new_issue_lists_mentions_and_omits_the_sender() -> None:
    """A new issue mentions the route's people and the assignees, except the person who acts."""
    issue = an_issue(labels=["Bug", "p1"], assignees=[MONA])
    assert explain_full(issue.opened()) == [
        "matches   urgent -> C1",
        "matches   all -> C2, C1",
        "Card in C1: full; mentions U2, S1; does not mention U1, who acts.",
        "Card in C2: full; mentions U2.",
    ]
    assert explain_full(an_issue().opened())[-1] == "Card in C1: full."


def test_a_later_event_mentions_assignees_alone() -> None:
    """A later event mentions the assignees but not the route's people."""
    issue = an_issue(labels=["bug", "p1"], assignees=[accounts.Account(login="Octavia")])
    assert explain_full(issue.labeled(MONA, NOON, "docs"))[-2:] == [
        "Card in C1: full; mentions U1.",
        "Card in C2: full; mentions U1.",
    ]
    assert explain_full(issue.closed(accounts.Account(login="octavia"), NOON))[-1] == (
        "Card in C1: full; does not mention U1, who acts."
    )


def test_an_issue_that_leaves_a_route_is_explained() -> None:
    """If an issue leaves a route, the cards of its channels are updated a last time."""
    issue = an_issue(labels=["bug", "p1"])
    Path("mine.toml").write_text(FULL.replace('["C2", "C1"]', '["C2"]'))
    assert explain(issue.unlabeled(MONA, NOON, "p1"), "--file", "mine.toml") == [
        "leaves    urgent -> C1: the issue lacks 'p1'",
        "matches   all -> C2",
        "Card in C1: if there is one, it is updated a last time.",
        "Card in C2: full.",
    ]
    assert explain(issue.labeled(MONA, NOON, "docs"), "--file", "mine.toml") == [
        "skips     urgent: the issue lacks 'p1'",
        "matches   all -> C2",
        "Card in C2: full.",
    ]


def test_a_muted_sender_changes_the_card_and_adds_no_reply() -> None:
    """A muted sender's event gets no reply, except in a channel that another route matches."""
    muted = "(no reply: the sender 'dependabot[bot]' is muted by *[bot])"
    assert explain(an_issue().closed(BOT, NOON)) == [
        f"matches   people -> C1, C2 {muted}",
        "skips     others: 'acme/app' matches none of beta/*",
        "matches   all -> C2, C4",
        "Card in C1: if there is one, it is updated.",
        "Card in C2: compact.",
        "Card in C4: compact.",
    ]


def test_an_event_without_a_card_is_explained() -> None:
    """A pull request has no card, even if a route matches."""
    lines = explain(an_issue(is_pull_request=True).commented(MONA, NOON, "x"))
    assert lines[0] == "matches   people -> C1, C2"
    assert lines[-1] == "No card in any channel: no card is made of a pull request."


def test_the_event_can_be_named() -> None:
    """If the payload does not show its event, --event names it."""
    push = payloads.Event(name="push", payload={"repository": {"full_name": "acme/app"}})
    assert explain(push, "--event", "push")[-1].startswith(
        "No card in any channel: no card is made of 'push',"
    )
    refused = invoke("explain", saved(push))
    assert refused.exit_code == 2
    assert refused.stderr.splitlines()[-1] == "Error: the payload does not show its event; give --event"


def test_stdin_is_read_for_a_dash() -> None:
    """If the file is a dash, the payload is read from stdin."""
    payload = json.dumps(an_issue().opened().payload).encode()
    assert invoke("explain", "-", stdin=payload).stdout.endswith("Card in C4: compact.\n")


def test_a_script_reads_the_explanation_as_json() -> None:
    """With --json, each reason has the key that decides; an event without a card has no destinations."""
    result = invoke("explain", saved(an_issue(author=BOT).closed(BOT, NOON)), "--json")
    outcome: dict[str, Any] = json.loads(result.stdout)
    assert (outcome["makes_card"], outcome["why_no_card"]) == (True, None)
    assert [each["channel"] for each in outcome["destinations"]] == ["C2", "C4"]
    muted = "is muted by *[bot]"
    assert outcome["routes"][0] == {
        "name": "people",
        "channels": ["C1", "C2"],
        "matches": False,
        "leaving": False,
        "updates": False,
        "quiet": f"the sender 'dependabot[bot]' {muted}",
        "why_not": [{"key": "mute_authors", "text": f"the author 'dependabot[bot]' {muted}"}],
    }
    issue = an_issue(labels=["bug", "p1"], assignees=[MONA])
    [explanation] = explain_full(issue.opened(), "--json")
    assert json.loads(explanation)["destinations"][0] == {
        "channel": "C1",
        "format": "full",
        "leaving": False,
        "makes_card": True,
        "replies": True,
        "mentions": ["U2", "S1"],
        "left_out": ["U1"],
    }
    silent = invoke("explain", saved(an_issue(is_pull_request=True).opened()), "--json")
    outcome = json.loads(silent.stdout)
    assert (outcome["makes_card"], outcome["destinations"]) == (False, [])
    assert outcome["why_no_card"] == "no card is made of a pull request"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The body is not JSON."),
        (b"{", "The body is not JSON."),
        (b"\xff", "The body is not JSON."),
        (b"[" * 100_000, "The body is not JSON."),
        (b"[]", "The body is not a JSON object."),
    ],
)
def test_a_malformed_payload_is_one_line(content: bytes, message: str) -> None:
    """A malformed payload in a file or on stdin is reported in one line with its name and the cause."""
    Path("x.json").write_bytes(content)
    for arguments in (["x.json"], ["x.json", "--event", "issues"]):
        result = invoke("explain", *arguments)
        assert (result.exit_code, result.output) == (1, f"Error: x.json: {message}\n")
    result = invoke("explain", "-", stdin=content)
    assert (result.exit_code, result.output) == (1, f"Error: stdin: {message}\n")


@pytest.mark.parametrize(
    ("name", "cause"), [("none.json", "No such file or directory"), ("config", "Is a directory")]
)
def test_a_payload_that_cannot_be_read_is_one_line(name: str, cause: str) -> None:
    """An unreadable payload is reported in one line with its name and the cause; the status is 1."""
    result = invoke("explain", name)
    assert (result.exit_code, result.output) == (1, f"Error: {name} cannot be read: {cause}\n")


def test_a_bad_routes_file_explains_nothing() -> None:
    """An invalid routes file is reported as `check` reports it, and nothing is explained."""
    Path("mine.toml").write_text('[[route]]\nchannels = ["#x"]\nprivate = true')
    result = invoke("explain", saved(an_issue().opened()), "--file", "mine.toml")
    problems = [
        "mine.toml: line 2: route 1: channels must be a list of channel ids such as C0123456789",
        "mine.toml: line 3: route 1: private must be one of any, only, never",
    ]
    assert (result.exit_code, result.stdout, result.stderr.splitlines()) == (1, "", problems)
    result = invoke("explain", "payload.json", "--file", "mine.toml", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (1, {"problems": problems})


def test_control_characters_of_a_payload_are_escaped() -> None:
    """Names from a payload are shown on one line with their control characters escaped."""
    payload = an_issue(author=accounts.Account(login="x\x1b[31m\n[bot]")).opened().payload
    payload["repository"]["full_name"] = "a\x1b]0;x\x07\u202e/b\ud800"
    result = invoke("explain", saved(payloads.Event(name="issues", payload=payload)))
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 5
    assert result.stdout.replace("\n", "").isprintable()
    lines = explain(an_issue().closed(accounts.Account(login="x\x1b[31m\n[bot]"), NOON))
    assert len(lines) == 6
    assert "".join(lines).isprintable()
