"""The report as Markdown: complete for a small dataset, and text from GitHub stays text."""

import re

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ops.report.markdown import WORD_JOINER, literal, render
from tests.support.reports import a_report, a_repository, a_single_issue, an_empty_report, waiting
from tests.support.year import HOSTILE_TITLES

ONE_ISSUE = f"""\
# How issues are answered: acme/app

Made on 18 Mar 2026 at 15:30 UTC from all that is stored, since the week of 16 Mar 2026.

## Waiting on us

**1 issue waits for an answer of the team.** None is past its target, 0 are due soon.

| answer |  | issue | opened by | waits | labels | assigned to |
| --- | --- | --- | --- | --- | --- | --- |
| due in 9.4 working hours | due 17 Mar 14:05 | [Export fails](https://github.com/acme/app/issues/7) acme/app#{WORD_JOINER}7 | octavia | since 16 Mar 14:05 (2.1 days by the clock, 17 working hours) |  |  |

## Are we answering?

**1 of 1 open issue has had no first response yet.** Too few first responses to say how long they take (n = 0).

## Is the backlog growing?

**Too early to tell: 1 issue open.** 1 opened, 0 closed and 0 reopened in these 1 week.
"""  # noqa: E501 - the lines of the document


def tokens(text: str) -> list[Token]:
    """Return what a parser of Markdown sees, block by block and within lines."""
    blocks = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    return [token for block in blocks for token in (block, *(block.children or ()))]


def test_a_small_dataset_is_shown_exactly() -> None:
    """The Markdown of a single issue begins with who waits, and has the answers and tables of the page."""
    text = render(a_single_issue())
    assert text.startswith(ONE_ISSUE)
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# How issues are answered: acme/app",
        "## Waiting on us",
        "## Are we answering?",
        "## Is the backlog growing?",
        "## Headline numbers",
        "## Week by week",
        "## By the week they were opened",
        "## The team and others",
        "## Time in label",
        "## The pipeline's own delay",
    ]
    assert "| 16 Mar | 1 | 0% | 0% | 0 | 1 | \N{EN DASH} |" in text
    assert "| 16 Mar 2026 | 1 | 0 | 0 | 1 | \N{EN DASH} | \N{EN DASH} |" in text
    assert "## Time in label\n\nNo issue has carried a label yet.\n" in text
    assert "\N{NO-BREAK SPACE}" not in text


def test_an_empty_dataset_says_what_to_do() -> None:
    """Without an issue there is no table, but what fills the report."""
    text = render(an_empty_report())
    assert "No issue is stored yet" in text
    assert "|" not in text


def test_repositories_have_a_trend_in_text() -> None:
    """Several repositories are compared in a table, with their trend in block characters."""
    text = render(a_report(repositories=(a_repository(trend=(0, 4)), a_repository(id=2, name="acme/web"))))
    assert "| acme/app | ▁█ | 29 | 2 | 2 | 5 h (60) | 2.1 days (48) | 10% | 50 |" in text


def test_every_row_of_a_table_has_its_columns() -> None:
    """A parser finds every table, and in each row as many cells as it has headings."""
    hostile = waiting(title="a | b", labels=("x|y", "`|`"), author="|", assignees=("|",), repository="a|/b")
    text = render(a_report(waiting=(hostile,)))
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert len(tables) == sum(token.type == "table_open" for token in tokens(text)) == 6
    for table in tables:
        columns = [len(re.findall(r"(?<!\\)\|", line)) - 1 for line in table.splitlines()]
        assert set(columns) == {columns[0]}


@pytest.mark.slow
@pytest.mark.parametrize(
    "title", [*HOSTILE_TITLES, "![x](//e.example)", "[a](javascript:b)", "a\n\n# b", "*b* ~~c~~"]
)
def test_hostile_text_stays_text(title: str) -> None:
    """Markup in a title, a label, a name or a login is neither HTML, a link, an image nor emphasis."""
    hostile = waiting(title=title, labels=(title,), author=title, assignees=(title,), repository=title)
    text = render(a_report(waiting=(hostile,), repositories=(a_repository(name=title),)))
    found = tokens(text)
    plain = tokens(render(a_report()))
    kinds = {token.type for token in found}
    assert kinds <= {token.type for token in plain} | {"text_special"}
    assert {token.attrGet("href") for token in found if token.type == "link_open"} == {
        "https://github.com/acme/app/issues/7"
    }
    assert len([token for token in found if token.type == "heading_open"]) == 10


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words, 5 (56%)", "plain words, 5 (56%)"),
        ("ask @mona", f"ask @{WORD_JOINER}mona"),
        ("like acme/app#7", f"like acme/app#{WORD_JOINER}7"),
        ("C# and @", "C# and @"),
        ("https://e.example", "https\\://e.example"),
        ("WWW.e.example", "WWW\\.e.example"),
        ("a_b*c", "a\\_b\\*c"),
        ("\u202eevil\x00", "\ufffdevil\ufffd"),
        ("a\n\n# b", "a # b"),
    ],
)
def test_what_github_would_link_is_not_linked(text: str, expected: str) -> None:
    """A mention notifies no one, a reference and an address are no link, and no character turns the line."""
    assert literal(text) == expected


def test_a_link_ends_where_its_url_ends() -> None:
    """A URL with brackets or bars stays one link; what is not a web address is not linked."""
    url = "https://github.com/a/b/issues/7?x=(1)|<2>"
    found = tokens(render(a_report(waiting=(waiting(url=url),))))
    [link] = [token.attrGet("href") for token in found if token.type == "link_open"]
    assert link == "https://github.com/a/b/issues/7?x=%281%29%7C%3C2%3E"
    assert "(javascript:" not in render(a_report(waiting=(waiting(url="javascript:alert(1)"),)))
