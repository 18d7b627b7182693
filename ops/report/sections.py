"""The sections of the page without a chart: two answers, the headline numbers, and two lists."""

from collections.abc import Sequence
from dataclasses import dataclass

from metrics import wording
from metrics.figures import Report, UnansweredIssue
from ops.report.charts import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A question, the short answer, and the numbers behind it."""

    question: str
    answer: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """A headline number, the numbers beside it, and what it means."""

    name: str
    value: str
    beside: str
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An unanswered issue; `link` is None unless its URL is a web address."""

    age: str
    title: str
    link: str | None
    reference: str
    last_event: str
    labels: Sequence[str]


def answers(report: Report) -> list[Answer]:
    """Answer the two questions the page begins with."""
    return [
        Answer(question=question, answer=answer, detail=detail)
        for question, (answer, detail) in (
            ("Are we answering?", wording.answering(report)),
            ("Is the backlog growing?", wording.growing(report)),
        )
    ]


def headlines(report: Report) -> list[Headline]:
    """Return the headline numbers in the order of the page."""
    responses, close, delay = report.responses, report.close, report.delay
    has_delay = delay.is_enough and delay.p50 is not None and delay.p95 is not None
    return [
        Headline(
            name="Open issues",
            value=f"{report.open:,}",
            beside=f"{report.unanswered:,} without a first response"
            + (f", {report.unknown:,} not known" if report.unknown else ""),
            explanation="Issues whose last event leaves them open, now.",
        ),
        Headline(
            name="Time to first response",
            value=wording.p50(responses),
            beside=f"p90 {wording.p90(responses)}, {wording.cases(responses.n)}",
            explanation="p50, from opened to the first comment by neither the author nor a bot.",
        ),
        Headline(
            name="Answered within 24 h",
            value=wording.share(responses.within_24h, responses.n),
            beside=f"{responses.within_24h:,} of {responses.n:,}; "
            f"{responses.within_72h:,} within 72{wording.NO_BREAK}h",
            explanation="Of the issues answered; open ones that still wait are counted apart.",
        ),
        Headline(
            name="Time to close",
            value=wording.p50(close),
            beside=f"p90 {wording.p90(close)}, {wording.cases(close.n)}",
            explanation="p50, from opened to the last close, of issues closed now.",
        ),
        Headline(
            name="Reopen rate",
            value=wording.share(report.reopened_issues, report.closed_issues),
            beside=f"{report.reopened_issues:,} of {wording.count(report.closed_issues, 'closed issue')}",
            explanation="Issues reopened at least once, of those closed at least once.",
        ),
        Headline(
            name="Pipeline delay",
            value=wording.seconds(delay.p50 or 0) if has_delay else wording.TOO_FEW,
            beside=(f"p95 {wording.seconds(delay.p95 or 0)}, " if has_delay else "") + wording.cases(delay.n),
            explanation="p50, from the event at GitHub to its row here, of the days shown below.",
        ),
    ]


def unanswered_note(report: Report) -> str:
    """Return what the list of unanswered issues holds."""
    note = "Open issues on which at most the author and bots have commented, and their age."
    if len(report.oldest_unanswered) < report.unanswered:
        return f"{note} The oldest {len(report.oldest_unanswered)} of {report.unanswered:,}."
    return note


def unanswered_item(issue: UnansweredIssue) -> Item:
    """Return the issue's line in the list."""
    age, last_event = wording.hours(issue.age_hours), wording.hours(issue.hours_since_last_event)
    return Item(
        age=age,
        title=(issue.title or "").strip() or "(no title)",
        link=wording.safe_link(issue.url),
        reference=f"{issue.repository}#{issue.number}",
        last_event=", nothing since" if last_event == age else f", last event {last_event} ago",
        labels=issue.labels,
    )


def repository_table(report: Report) -> Table:
    """Return the table that compares the repositories."""
    return Table(
        caption="Open and unanswered are as of now; p50 of the times, with their n.",
        headings=(
            "repository", "open", "unanswered", "first response", "n", "time to close", "n", "reopen rate",
            "closed",
        ),
        rows=[
            (
                repository.name,
                f"{repository.open:,}",
                f"{repository.unanswered:,}",
                wording.p50(repository.responses),
                f"{repository.responses.n:,}",
                wording.p50(repository.close),
                f"{repository.close.n:,}",
                wording.share(repository.reopened_issues, repository.closed_issues),
                f"{repository.closed_issues:,}",
            )
            for repository in report.repositories
        ],
    )  # fmt: skip
