"""A wrong triage file is refused as a whole, with every problem."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from functions.triage import rules_file
from functions.triage.rules import EVENTS, Rule
from functions.triage.validation import KEYS
from pipeline.errors import ConfigurationError

ROOT = Path(__file__).parents[3]
KNOWN = (
    "(known: add_labels, assign, author, close, comment, dry_run, events, labels_all, labels_any,"
    " labels_none, name, repositories, words_any)"
)
AUTHORS = 'author must be one of outsider, team, bot, first-time, or a list of logins such as ["octocat"]'
KNOWN_EVENTS = f"(known: {', '.join(EVENTS)})"
EXAMPLE = """\
[[rule]]
name = "parser"
repositories = ["acme/*"]
events = ["issues.opened", "issues.labeled"]     # default: opened and reopened
labels_any = []                                  # also labels_all, labels_none
words_any = ["parser", "syntax error"]           # in title or text, as they are, in any case
author = "outsider"                              # or team, bot, first-time, or a list of logins
add_labels = ["component: parser"]
assign = ["mona", "kim"]                         # one of them, without those in `away`
comment = "Thanks! We answer within two days."
close = "not_planned"                            # or completed, duplicate
"""


def problems(text: str) -> tuple[str, ...]:
    """Return the problems of the file, without the words that begin each."""
    with pytest.raises(ConfigurationError) as caught:
        rules_file.parse(text)
    assert all(problem.startswith("triage file: ") for problem in caught.value.problems)
    return tuple(problem.removeprefix("triage file: ") for problem in caught.value.problems)


def test_the_contracts_example_is_read() -> None:
    """Every key of the documented example is accepted and has its value."""
    assert rules_file.parse(EXAMPLE) == (
        Rule(
            name="parser",
            repositories=("acme/*",),
            events=("issues.opened", "issues.labeled"),
            words_any=("parser", "syntax error"),
            author="outsider",
            add_labels=("component: parser",),
            assign=("mona", "kim"),
            comment="Thanks! We answer within two days.",
            close="not_planned",
        ),
    )


def test_what_is_left_out_has_its_default() -> None:
    """A rule needs a name and something to do; it is for new and reopened issues of all repositories."""
    [rule] = rules_file.parse(
        '[[rule]]\nname = "a"\nauthor = ["Mona", "x[bot]"]\nclose = "completed"\ndry_run = true'
    )
    assert rule == Rule(
        name="a",
        repositories=("*",),
        events=("issues.opened", "issues.reopened"),
        author=("Mona", "x[bot]"),
        close="completed",
        dry_run=True,
    )


def test_emoji_and_no_break_spaces_are_letters() -> None:
    """Labels and words may hold what joins an emoji's parts, and spaces of any kind."""
    [rule] = rules_file.parse(
        '[[rule]]\nname = "a"\nadd_labels = ["\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}"]\n'
        'words_any = ["a\N{NO-BREAK SPACE}b", " x "]'
    )
    assert len(rule.add_labels[0]) == 3
    assert rule.words_any == ("a\N{NO-BREAK SPACE}b", " x ")


@pytest.mark.parametrize("text", ["", "# nothing\n", "rule = []"])
def test_a_file_may_have_no_rule(text: str) -> None:
    """The file that is shipped has comments only, which is no problem."""
    assert rules_file.parse(text) == ()


def test_every_problem_is_reported_together_with_its_line() -> None:
    """Every problem of the file is reported at once, each with its line, also after a long text."""
    found = problems('''
        [[rules]]
        [defaults]
        [[rule]]
        name = "bugs"
        add_label = ["bug"]
        comment = """
        events = 1
        """
        events = ["issues.open", "issues.deleted", "push"]
        [[rule]]
        name = "bugs"
        words_any = "parser"
        close = "wontfix"
        [[rule]] # the third
        author = "outsiders"
        labels_any = ["a"]
        labels_none = ["A"]
        repositories = ["a/b/c"]
    ''')
    assert found == (
        "line 2: unknown table 'rules', did you mean 'rule'?",
        "line 3: unknown table 'defaults'",
        f"line 6: rule 1 ('bugs'): unknown key 'add_label', did you mean 'add_labels'? {KNOWN}",
        "line 10: rule 1 ('bugs'): events: no rule hears of 'issues.open', did you mean 'issues.opened'?",
        "line 10: rule 1 ('bugs'): events: after 'issues.deleted' there is no issue to act on",
        f"line 10: rule 1 ('bugs'): events: no rule hears of 'push' {KNOWN_EVENTS}",
        'line 13: rule 2 (\'bugs\'): words_any must be a list of words such as "parser" or "syntax error"',
        "line 14: rule 2 ('bugs'): close must be one of completed, not_planned, duplicate",
        "line 12: rule 2 ('bugs'): rule 1 has the same name",
        "line 15: rule 3: name is missing; comments and stored decisions are known by it",
        "line 19: rule 3: repositories: 'a/b/c' can never match an owner/name",
        "line 18: rule 3: labels_none has every label of labels_any, so the rule can never match",
        f"line 16: rule 3: {AUTHORS}, did you mean 'outsider'?",
        "line 15: rule 3: the rule does nothing; give one of add_labels, assign, comment, close",
    )


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("name = 1", "name must be one line of at most 100 characters"),
        ('name = " "', "name must be one line of at most 100 characters"),
        ('name = "a\\nb"', "name must be one line of at most 100 characters"),
        (f'name = "{"a" * 101}"', "name must be one line of at most 100 characters"),
        ("repositories = []", 'repositories must be a list of globs such as "acme/*"'),
        ('events = "issues.opened"', f"events must be a list of EVENT.ACTION {KNOWN_EVENTS}"),
        ("events = []", f"events is empty, so the rule can never match {KNOWN_EVENTS}"),
        ('labels_any = [" bug"]', "labels_any: ' bug' begins or ends with a space, which no label does"),
        ("labels_all = {}", 'labels_all must be a list of labels such as "bug"'),
        ('words_any = [""]', 'words_any must be a list of words such as "parser" or "syntax error"'),
        ('author = "mona"', AUTHORS),
        ("author = []", AUTHORS),
        ("author = 1", AUTHORS),
        ("author = [1]", 'author must be a list of GitHub logins such as "octocat"'),
        ('author = ["outsider"]', 'author: a list is of logins; write author = "outsider"'),
        ('author = ["*[bot]"]', "author: '*[bot]' is not a GitHub login"),
        ('add_labels = "bug"', 'add_labels must be a list of labels such as "bug"'),
        ('add_labels = ["a "]', "add_labels: 'a ' is not one line without spaces around it"),
        ('add_labels = ["a\\tb"]', "add_labels: 'a\\tb' is not one line without spaces around it"),
        (f'add_labels = ["{"x" * 51}"]', f"add_labels: {'x' * 51!r} is longer than GitHub's 50 characters"),
        ('assign = "mona"', 'assign must be a list of GitHub logins such as "octocat"'),
        ('assign = ["@mona"]', "assign: '@mona' is not a GitHub login"),
        ('assign = ["acme/parsers"]', "assign: 'acme/parsers' is not a GitHub login"),
        ('comment = " "', "comment must be a text, and not an empty one"),
        ("comment = ['Hi']", "comment must be a text, and not an empty one"),
        ('comment = "\\u0000"', "comment has a control character"),
        (
            f'comment = "{"x" * 60_001}"',
            "comment is longer than 60,000 characters, and GitHub would refuse it",
        ),
        (
            'comment = "<!-- issuewire rule=a -->"',
            "comment must not hold '<!-- issuewire', which marks the comments that are there already",
        ),
        (
            'close = "not planned"',
            "close must be one of completed, not_planned, duplicate, did you mean 'not_planned'?",
        ),
        ("close = false", "close must be one of completed, not_planned, duplicate"),
        ("dry_run = 1", "dry_run must be true or false"),
    ],
)
def test_a_wrong_value_is_refused(line: str, problem: str) -> None:
    """Every key has its form, and what GitHub would refuse is refused here."""
    others = [other for other in ('name = "a"', 'add_labels = ["x"]') if not line.startswith(other[:4])]
    [found] = problems("\n".join(["[[rule]]", line, *others]))
    assert found.split(": ", maxsplit=2)[0] == "line 2"
    assert found.endswith(f": {problem}")


def test_a_rule_that_does_nothing_is_refused() -> None:
    """Empty lists do nothing, and nor does closing what is closed."""
    assert problems('[[rule]]\nname = "a"\nadd_labels = []\nassign = []') == (
        "line 1: rule 1 ('a'): the rule does nothing; give one of add_labels, assign, comment, close",
    )
    closes = '[[rule]]\nname = "a"\nevents = ["issues.closed"]\nclose = "completed"\n'
    assert problems(closes) == (
        "line 4: rule 1 ('a'): close: the issue is closed already at issues.closed, so the rule does nothing",
    )
    assert rules_file.parse(closes + 'comment = "Bye"')


@pytest.mark.parametrize("text", ["[rule]\nname = 'a'", "rule = 1", "rule = ['a']", "rule = {}"])
def test_a_rule_must_be_an_array_table(text: str) -> None:
    """A rule written as [rule] is refused with the correct form, [[rule]]."""
    assert problems(text) == ("write each rule as [[rule]]",)


@pytest.mark.parametrize(
    "text", ["[[rule]", "a = 1\na = 2", "\0", "<<<<<<< HEAD", "a = " + "9" * 5000, "a = " + "[" * 5000]
)
def test_a_file_that_is_no_toml_is_refused(text: str) -> None:
    """What the parser refuses is one problem."""
    assert len(problems(text)) == 1


def test_the_file_is_found(tmp_path: Path) -> None:
    """TRIAGE_FILE wins over triage.toml beside the function; a file that cannot be read is a problem."""
    (tmp_path / "other.toml").write_text('\ufeff[[rule]]\nname = "other"\ncomment = "x"', encoding="utf-8")
    named = {"TRIAGE_FILE": str(tmp_path / "other.toml")}
    assert [rule.name for rule in rules_file.read(named, tmp_path)] == ["other"]
    with pytest.raises(ConfigurationError, match="TRIAGE_FILE cannot be read"):
        rules_file.read({}, tmp_path)
    (tmp_path / "triage.toml").write_text("# none")
    assert rules_file.read({"TRIAGE_FILE": " "}, tmp_path) == ()


def test_a_start_does_not_wait_for_suggestions() -> None:
    """A cold start with right rules does not import difflib, which only suggestions need."""
    program = (
        "import sys; from functions.triage import rules_file; rules_file.parse(sys.argv[1]);"
        " sys.exit('difflib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, EXAMPLE], cwd=ROOT, check=False).returncode == 0


SHIPPED = (ROOT / "config" / "triage.toml").read_text("utf-8")


def uncommented(block: str) -> str:
    """Return the rules of a block of comments, without the sentences above them."""
    lines = [line.removeprefix("#").removeprefix(" ") for line in block.splitlines()]
    return "\n".join(lines[lines.index("[[rule]]") :])


def test_the_file_that_is_shipped_does_nothing() -> None:
    """The file in config has no rule until one is uncommented."""
    assert rules_file.parse(SHIPPED) == ()


def test_the_examples_are_right_together() -> None:
    """All rules in the comments of the file in config are right, and each shows something else."""
    blocks = [block for block in re.split(r"\n\n", SHIPPED) if "# [[rule]]" in block]
    rules = rules_file.parse("\n".join(map(uncommented, blocks)))
    assert [rule.name for rule in rules] == [
        "parser",
        "crash",
        "turns",
        "welcome",
        "ask for an example",
        "example given",
        "questions",
    ]
    for block in blocks:
        assert rules_file.parse(uncommented(block))
    used = {name for rule in rules for name in KEYS if getattr(rule, name) != getattr(Rule(name=""), name)}
    assert used == set(KEYS)
    assert "\n\n" in (rules[4].comment or "")
