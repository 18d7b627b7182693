"""The report as Markdown: the sections of the page, with tables in place of charts."""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from metrics import wording
from metrics.figures import Report
from ops.report import sections, sparkline, tables, waiting
from ops.report.tables import Table
from ops.report.waiting import Item

WORD_JOINER = "\N{WORD JOINER}"
# What Markdown, HTML and mathematics begin with; the other patterns are links that need no markup.
MARKUP = re.compile(r"([\\`*_\[\]<>|~&$])")
ADDRESS = re.compile(r"\b(https?|ftp|www)(?=:|\.)", re.IGNORECASE)
MENTION = re.compile(r"([@#])(?=\w)")
IN_URL = "%:/?#@!$&'*+,;=-._~"  # all that a URL has but what ends it in Markdown
INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def render(report: Report) -> str:
    """Return the report as GitHub's Markdown; its text can be encoded as UTF-8."""
    return "\n\n".join(_parts(report)).replace(wording.NO_BREAK, " ") + "\n"


def _parts(report: Report) -> Iterator[str]:
    yield f"# {literal(sections.title(report))}"
    yield sections.about(report)
    if report.is_empty:
        yield sections.NOTHING_STORED
        return
    yield "## Waiting on us"
    yield _answer(*waiting.summary(report))
    yield from waiting.notes(report)
    if report.waiting:
        yield _waiting(waiting.items(report))
    for answer in sections.answers(report):
        yield f"## {answer.question}"
        yield _answer(answer.answer, answer.detail)
    yield "## Headline numbers"
    yield _table(
        ("", "", "", ""),
        [(item.name, item.value, item.beside, item.explanation) for item in sections.headlines(report)],
        numbers=False,
    )
    for title, table, missing in _tables(report):
        yield f"## {title}"
        yield _figures(table) if table.rows else missing
    yield "## The pipeline's own delay"
    yield wording.delay_finding(report.delay)
    yield sections.FOOTER


def _tables(report: Report) -> Iterator[tuple[str, Table, str]]:
    """Yield the title of each table, the table, and what to say if it has no rows."""
    yield "Week by week", tables.weeks(report), ""
    yield "By the week they were opened", tables.cohorts(report), sections.NO_COHORT
    yield "The team and others", tables.authors(report), ""
    yield "Time in label", tables.labels(report), sections.NO_LABEL
    if len(report.repositories) > 1:
        yield "By repository", tables.repositories(report, sparkline.blocks), ""


def _answer(answer: str, detail: str) -> str:
    return f"**{answer}** {detail}"


def _waiting(items: Sequence[Item]) -> str:
    headings = ("answer", "", "issue", "opened by", "waits", "labels", "assigned to")
    rows = [
        (
            item.standing,
            item.due,
            _issue(item),
            literal(item.opened_by),
            item.waited,
            literal(", ".join(item.labels)),
            literal(", ".join(item.assignees)),
        )
        for item in items
    ]
    return _table(headings, rows, numbers=False)


def _issue(item: Item) -> str:
    title = literal(item.title)
    reference = literal(item.reference)
    if item.link is None:
        return f"{title} {reference}"
    return f"[{title}]({quote(item.link, safe=IN_URL)}) {reference}"


def _figures(table: Table) -> str:
    rows = [[literal(cell) for cell in row] for row in table.rows]
    return f"{table.caption}\n\n{_table(table.headings, rows, numbers=True)}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: bool) -> str:
    """Return a table; all columns but the first are aligned to the right if they are numbers."""
    rules = ["---", *(["---:" if numbers else "---"] * (len(headings) - 1))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (headings, rules, *rows))


def literal(text: str) -> str:
    """Return the text in one line that GitHub shows as it is: no markup, link, mention or reference."""
    line = INVISIBLE.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))
    return MENTION.sub(rf"\1{WORD_JOINER}", ADDRESS.sub(r"\1\\", MARKUP.sub(r"\\\1", line)))
