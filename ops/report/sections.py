"""The report in short: its title, the answers to two questions, and the headline numbers."""

from dataclasses import dataclass

from metrics import wording
from metrics.figures import MIN_CASES, Report
from pipeline.targets import State

NOTHING_STORED = (
    "No issue is stored yet, so there is nothing to show. As soon as the webhook delivers, or after "
    "./issuewire backfill OWNER/REPO has read what was there before, this page fills."
)
NO_COHORT = "No issue was opened in this period."
NO_LABEL = "No issue has carried a label yet."
FOOTER = (
    "All times are UTC. Pull requests are left out of all but the pipeline's delay. Issues opened by bots "
    "count in what was opened and closed and in the backlog, and in no other number. Percentiles are shown "
    f"with their n, and not at all where n is under {MIN_CASES}. Deleted and transferred issues count in "
    "opened, closed and the reopen rate, not in the times to respond and to close."
)


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


def answers(report: Report) -> list[Answer]:
    """Answer the two questions of the report."""
    return [
        Answer(question=question, answer=answer, detail=detail)
        for question, (answer, detail) in (
            ("Are we answering?", wording.answering(report)),
            ("Is the backlog growing?", wording.growing(report)),
        )
    ]


def headlines(report: Report) -> list[Headline]:
    """Return the headline numbers in the order of the page."""
    counts, responses, close, age = report.counts, report.responses, report.close, report.backlog_age
    late = [waiting.standing.state for waiting in report.waiting].count(State.OVERDUE)
    return [
        Headline(
            name="Waiting on us",
            value=f"{len(report.waiting):,}",
            beside=f"{late:,} past the target" if report.has_targets else "no target is set",
            explanation="Open issues in which someone outside the team had the last word.",
        ),
        Headline(
            name="Open issues",
            value=f"{counts.open:,}",
            beside=f"{counts.unanswered:,} without a first response"
            + (f", {counts.unknown:,} not known" if counts.unknown else "")
            + (f", {counts.open_by_bots:,} by bots" if counts.open_by_bots else ""),
            explanation="Issues whose last event leaves them open, now.",
        ),
        Headline(
            name="Age of open issues",
            value=wording.p50(age),
            beside=f"p90 {wording.p90(age)}, {wording.cases(age.n)}",
            explanation="p50, since they were opened.",
        ),
        Headline(
            name="First response, by anyone",
            value=wording.p50(responses),
            beside=f"p90 {wording.p90(responses)}, {wording.cases(responses.n)}",
            explanation="p50, from opened to the first comment by neither the author nor a bot.",
        ),
        Headline(
            name="First response, by the team",
            value=wording.p50(report.team_responses),
            beside=f"p90 {wording.p90(report.team_responses)}, {wording.cases(report.team_responses.n)}",
            explanation="p50, from opened to the first comment by someone in the team, not the author.",
        ),
        Headline(
            name="Answered within 24 h",
            value=wording.share(responses.within_24h, responses.n),
            beside=f"{responses.within_24h:,} of {responses.n:,}; "
            f"{responses.within_72h:,} within 72{wording.NO_BREAK}h",
            explanation="Of the issues answered, by anybody; closed without an answer: "
            f"{counts.closed_unanswered:,}.",
        ),
        Headline(
            name="Time to close",
            value=wording.p50(close),
            beside=f"p90 {wording.p90(close)}, {wording.cases(close.n)}",
            explanation="p50, from opened to the last close, of issues closed as completed; "
            f"{counts.put_aside:,} more closed as not planned or duplicate.",
        ),
        Headline(
            name="Reopen rate",
            value=wording.share(counts.reopened_issues, counts.closed_issues),
            beside=f"{counts.reopened_issues:,} of {wording.count(counts.closed_issues, 'closed issue')}",
            explanation="Issues reopened at least once, of those closed at least once.",
        ),
    ]


def title(report: Report) -> str:
    """Return what the report is about."""
    names = [repository.name for repository in report.repositories]
    subject = report.requested or "no repository yet"
    if names:
        subject = " and ".join(names) if len(names) < 3 else f"{len(names)} repositories"
    return f"How issues are answered: {subject}"


def about(report: Report) -> str:
    """Return when the report was made, and the period that it covers."""
    made = f"Made on {wording.day(report.made_at.date())} at {report.made_at:%H:%M} UTC"
    if report.since is not None:
        return f"{made} from what happened since Monday, {wording.day(report.since)}; open issues as of now."
    if report.weeks:
        return f"{made} from all that is stored, since the week of {wording.day(report.weeks[0].week)}."
    return f"{made}."
