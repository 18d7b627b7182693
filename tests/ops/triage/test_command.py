"""ops triage: the rules are checked, and a delivery is explained."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops.__main__ import ops
from ops.send import accounts, payloads
from tests.support.messages import NOON, an_issue

ROOT = Path(__file__).parents[3]
MONA = accounts.Account(login="mona")
RULES = """
[[rule]]
name = "parser"
repositories = ["acme/*"]
words_any = ["parser", "syntax error"]
author = "outsider"
add_labels = ["component: parser", "Bug"]
assign = ["mona", "kim"]
[[rule]]
name = "close"
events = ["issues.labeled"]
labels_any = ["question"]
comment = "Ask in the forum."
close = "not_planned"
dry_run = true
"""


PARSER = (
    "repositories acme/*; events issues.opened, issues.reopened; words_any 'parser', 'syntax error';"
    " author outsider"
)
CLOSE = "repositories *; events issues.labeled; labels_any 'question'"
SKIPS_CLOSE = "'issues.opened' is not issues.labeled; the issue has none of the labels 'question'"
KNOWN = (
    "(known: add_labels, assign, author, close, comment, dry_run, events, labels_all, labels_any,"
    " labels_none, name, repositories, words_any)"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in a folder with rules and a team, which the environment names."""
    (tmp_path / "ours.toml").write_text(RULES)
    (tmp_path / "team.toml").write_text('[team]\nlogins = ["mona"]\naway = ["kim"]\n')
    monkeypatch.setenv("TRIAGE_FILE", "ours.toml")
    monkeypatch.setenv("TEAM_FILE", "team.toml")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke(*arguments: str, stdin: bytes | None = None) -> Result:
    """Run the command in the test's process, and check that it does not crash."""
    result = CliRunner().invoke(ops, ["triage", *arguments], input=stdin, prog_name="issuewire")
    assert isinstance(result.exception, SystemExit | None)
    return result


def saved(made: payloads.Event) -> str:
    """Save the payload and return the file's name."""
    Path("payload.json").write_text(json.dumps(made.payload))
    return "payload.json"


def explain(made: payloads.Event, *arguments: str) -> list[str]:
    """Return the lines that explain the event."""
    result = invoke("explain", saved(made), *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout.splitlines()


def test_a_file_is_summed_up() -> None:
    """Each rule has a line with its conditions and what it does."""
    result = invoke("check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        f"parser: {PARSER} -> adds 'component: parser', 'Bug'; assigns one of mona, kim",
        f"close: {CLOSE} -> comments 'Ask in the forum.'; closes as not_planned (dry run)",
    ]
    found = json.loads(invoke("check", "ours.toml", "--json").stdout)
    assert (found["problems"], found["warnings"]) == ([], [])
    assert [rule["name"] for rule in found["rules"]] == ["parser", "close"]


def test_the_file_that_is_shipped_has_no_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without FILE and TRIAGE_FILE it is config/triage.toml."""
    monkeypatch.delenv("TRIAGE_FILE")
    result = invoke("check")
    assert (result.exit_code, result.stdout) == (0, "There is no rule, so triage does nothing.\n")
    assert explain(an_issue().opened()) == ["There is no rule, so triage does nothing."]


def test_people_who_are_all_away_are_a_warning() -> None:
    """A rule that assigns only those who are away is pointed out, and is no error."""
    Path("ours.toml").write_text('[[rule]]\nname = "a"\nassign = ["Kim"]')
    result = invoke("check")
    warning = "ours.toml: rule 'a': assign: all of them are away by the team file, so it assigns no one"
    assert (result.exit_code, result.stderr) == (0, f"Warning: {warning}\n")
    assert json.loads(invoke("check", "--json").stdout)["warnings"] == [warning]


@pytest.mark.parametrize("word", ["crash.*", "/crash/", "/crash/i", r"\bcrash\b", "^crash", "crash$", "a.+"])
def test_what_looks_like_a_regular_expression_is_a_warning(word: str) -> None:
    """A word is taken as it is, which a pattern would not expect; ordinary words have no warning."""
    rule = "[[rule]]\nname = 'a'\nclose = 'completed'\n"
    Path("ours.toml").write_text(
        f"{rule}words_any = ['{word}', 'C++', 'a/b', '1.0', 'f(x)?', 'cash: $5', '...']"
    )
    [warning] = json.loads(invoke("check", "--json").stdout)["warnings"]
    assert (
        warning == f"ours.toml: rule 'a': words_any: {word!r} is taken as it is, not as a regular expression"
    )


def test_every_problem_is_named_with_its_line() -> None:
    """A wrong file ends each command with status 1 and one line for each problem."""
    Path("wrong.toml").write_text(RULES.replace("add_labels", "add_label").replace("forum", "\\u0000"))
    lines = [
        f"wrong.toml: line 7: rule 1 ('parser'): unknown key 'add_label', did you mean 'add_labels'? {KNOWN}",
        "wrong.toml: line 13: rule 2 ('close'): comment has a control character",
    ]
    for arguments in (
        ["check", "wrong.toml"],
        ["explain", saved(an_issue().opened()), "--file", "wrong.toml"],
    ):
        result = invoke(*arguments)
        assert (result.exit_code, result.stdout, result.stderr.splitlines()) == (1, "", lines)
        result = invoke(*arguments, "--json")
        assert (result.exit_code, json.loads(result.stdout)) == (1, {"problems": lines})


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    """A missing file, a folder and a wrong team file end with one line and status 1."""
    assert invoke("check", "no.toml").stderr == "Error: no.toml cannot be read: No such file or directory\n"
    assert invoke("check", str(tmp_path)).stderr == f"Error: {tmp_path} cannot be read: Is a directory\n"
    Path("team.toml").write_text("[team]\nlogin = 1")
    for arguments in (["check"], ["explain", saved(an_issue().opened())]):
        result = invoke(*arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        [problem] = result.stderr.splitlines()
        assert problem.startswith("team file: line 2: team: unknown key 'login'")
        assert json.loads(invoke(*arguments, "--json").stdout) == {"problems": [problem]}


def test_each_rule_and_each_action_has_its_line() -> None:
    """The explanation names what is done and by which rule, and why the other rules do not match."""
    issue = an_issue(title="The Parser fails", labels=["BUG"])
    assert explain(issue.opened()) == [
        "matches   parser",
        f"skips     close: {SKIPS_CLOSE}",
        "adds 'component: parser' (parser)",
        "adds 'Bug' (parser, the issue has it already)",
        "assigns mona (parser)",
    ]
    assert explain(issue.labeled(MONA, NOON, "question"))[2:] == [
        "comments 'Ask in the forum.' (close, dry run)",
        "closes as not_planned (close, dry run)",
    ]
    assert explain(issue.labeled(MONA, NOON, "x"))[1:] == [
        "skips     close: the label 'x' of the event is not 'question'",
        "Nothing is done.",
    ]


def test_an_event_that_triggers_nothing_says_why() -> None:
    """A pull request, an event without an issue, and what our own App did have one line."""
    on_pull_request = an_issue(is_pull_request=True).commented(MONA, NOON, "x")
    assert explain(on_pull_request) == ["No rule applies: it is about a pull request."]
    ping = str(ROOT / "samples" / "ping.json")
    assert invoke("explain", ping).stdout == "No rule applies: 'ping' has no issue.\n"
    made = an_issue(author=accounts.Account.named("issuewire[bot]")).opened()
    assert explain(made)[-1] == "Nothing is done."
    assert explain(made, "--own-login", "IssueWire[bot]") == [
        "No rule applies: the event was sent by IssueWire[bot], which is our own app."
    ]


def test_scripts_get_the_explanation_as_json() -> None:
    """The JSON has every rule with its reason, every action, and whether the issue has it."""
    made = an_issue(title="Parser", assignees=[MONA]).opened()
    assert json.loads("".join(explain(made, "--json"))) == {
        "ignored": None,
        "why_ignored": None,
        "rules": [
            {"name": "parser", "matches": True, "why_not": None},
            {
                "name": "close",
                "matches": False,
                "why_not": SKIPS_CLOSE,
            },
        ],
        "actions": [
            {
                "rule": "parser",
                "what": "add_label",
                "value": "component: parser",
                "dry_run": False,
                "present": False,
            },
            {"rule": "parser", "what": "add_label", "value": "Bug", "dry_run": False, "present": False},
            {"rule": "parser", "what": "assign", "value": "mona", "dry_run": False, "present": True},
        ],
    }
    found = json.loads(invoke("explain", str(ROOT / "samples" / "ping.json"), "--json").stdout)
    assert (found["ignored"], found["actions"]) == ("not_an_issue", [])


def test_every_sample_and_stdin_are_read() -> None:
    """Samples with headers, payloads alone and stdin are all explained."""
    for sample in sorted((ROOT / "samples").glob("*.json")):
        result = invoke("explain", str(sample))
        assert (result.exit_code, result.stderr) == (0, "")
    body = json.dumps(an_issue(title="Parser").opened().payload).encode()
    assert invoke("explain", "-", stdin=body).stdout.startswith("matches   parser")
    assert invoke("explain", "-", stdin=b"[]").stderr == "Error: stdin: The body is not a JSON object.\n"


def test_hostile_text_is_escaped() -> None:
    """What an event names is printed without control characters, also if no encoding has it."""
    payload = an_issue(labels=["bug"]).opened().payload
    payload["issue"]["title"] = payload["issue"]["labels"][0]["name"] = "\ud800\x1b[31m"
    payload["issue"]["user"]["login"] = "\x1b[31mx\ud800"
    Path("payload.json").write_text(json.dumps(payload))
    result = invoke("explain", "payload.json")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (
        0,
        "skips     parser: title and text have none of 'parser', 'syntax error'",
    )
    Path("ours.toml").write_text('[[rule]]\nname = "a"\nauthor = "team"\nclose = "completed"')
    assert invoke("explain", "payload.json").stdout.splitlines()[0] == (
        r"skips     a: the author '\x1b[31mx\ud800' is not of the team"
    )
