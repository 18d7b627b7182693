"""From the figures to one HTML page that needs nothing else: pure, the template does the escaping."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from metrics import wording as words
from metrics.figures import FEWEST, Report, Repository, Waiting
from ops.report.sections import Chart, Table, all_charts

HERE = Path(__file__).parent
# No HTML may hold these; GitHub's texts are shown, whatever is in them.
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A question and its answer."""

    question: str
    answer: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """One headline number, what it rests on, and what it means."""

    name: str
    value: str
    rest: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One issue that waits; `link` is None unless it is a web address."""

    age: str
    title: str
    link: str | None
    where: str
    quiet: str
    labels: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything that the template places, as text."""

    title: str
    about: str
    css: Markup
    is_empty: bool
    nothing: str
    footer: str
    verdicts: Sequence[Verdict] = ()
    figures: Sequence[Headline] = ()
    charts: Sequence[Chart] = ()
    waiting: Sequence[Item] = ()
    waiting_note: str = ""
    repositories: Table | None = None


def render(report: Report) -> str:
    """Return the page as text in UTF-8's reach."""
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template("report.html.j2").render(page=_page(report))
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text).strip() + "\n"


def _page(report: Report) -> Page:
    css = Markup((HERE / "report.css").read_text(encoding="utf-8"))  # noqa: S704 - a file of ours
    title, about = f"How issues are answered: {_subject(report)}", _about(report)
    nothing = (
        "No issue is stored yet, so there is nothing to show. As soon as the webhook delivers, or after "
        "./issuewire backfill OWNER/REPO has read what was there before, this page fills."
    )
    footer = (
        "All times are UTC. Pull requests are left out of all but the pipeline's delay. Percentiles are "
        f"shown with their n, and not at all where n is under {FEWEST}. Deleted and transferred issues "
        "count in opened, closed and the reopen rate, not in the times to respond and to close."
    )
    if report.is_empty:
        return Page(title=title, about=about, css=css, is_empty=True, nothing=nothing, footer=footer)
    return Page(
        title=title,
        about=about,
        css=css,
        is_empty=False,
        nothing=nothing,
        footer=footer,
        verdicts=_verdicts(report),
        figures=_figures(report),
        charts=all_charts(report),
        waiting=[_item(waiting) for waiting in report.waiting],
        waiting_note=_waiting_note(report),
        repositories=_repositories(report.repositories),
    )


def _subject(report: Report) -> str:
    names = [repository.name for repository in report.repositories]
    if not names:
        return report.asked or "no repository yet"
    return " and ".join(names) if len(names) < 3 else f"{len(names)} repositories"


def _about(report: Report) -> str:
    made = f"Made on {words.day(report.made_at.date())} at {report.made_at:%H:%M} UTC"
    if report.since is not None:
        return f"{made} from what happened since Monday, {words.day(report.since)}; open issues as of now."
    if report.weeks:
        return f"{made} from all that is stored, since the week of {words.day(report.weeks[0].week)}."
    return f"{made}."


def _verdicts(report: Report) -> list[Verdict]:
    answered, grown = words.answering(report), words.growing(report)
    return [
        Verdict(question="Are we answering?", answer=answered[0], detail=answered[1]),
        Verdict(question="Is the backlog growing?", answer=grown[0], detail=grown[1]),
    ]


def _figures(report: Report) -> list[Headline]:
    responses, close, delay = report.responses, report.close, report.delay
    has_delay = delay.n >= FEWEST and delay.p50 is not None and delay.p95 is not None
    return [
        Headline(
            name="Open issues",
            value=f"{report.open:,}",
            rest=f"{report.unanswered:,} without a first response",
            meaning="Issues whose last event leaves them open, now.",
        ),
        Headline(
            name="Time to first response",
            value=words.p50(responses.spread),
            rest=f"p90 {words.p90(responses.spread)}, {words.cases(responses.spread.n)}",
            meaning="p50, from opened to the first comment by neither the author nor a bot.",
        ),
        Headline(
            name="Answered within 24 h",
            value=words.share(responses.within_24h, responses.spread.n),
            rest=f"{responses.within_24h:,} of {responses.spread.n:,}; "
            f"{responses.within_72h:,} within 72{words.NO_BREAK}h",
            meaning="Of the issues answered; open ones that still wait are counted apart.",
        ),
        Headline(
            name="Time to close",
            value=words.p50(close),
            rest=f"p90 {words.p90(close)}, {words.cases(close.n)}",
            meaning="p50, from opened to the last close, of issues closed now.",
        ),
        Headline(
            name="Reopen rate",
            value=words.share(report.reopened_issues, report.closed_issues),
            rest=f"{report.reopened_issues:,} of {words.count(report.closed_issues, 'closed issue')}",
            meaning="Issues reopened at least once, of those closed at least once.",
        ),
        Headline(
            name="Pipeline delay",
            value=words.seconds(delay.p50 or 0) if has_delay else words.TOO_FEW,
            rest=f"p95 {words.seconds(delay.p95 or 0)}, {words.cases(delay.n)}"
            if has_delay
            else f"{words.cases(delay.n)}",
            meaning="p50, from the event at GitHub to its row here, of the days shown below.",
        ),
    ]


def _item(waiting: Waiting) -> Item:
    age, quiet = words.hours(waiting.age_hours), words.hours(waiting.quiet_hours)
    return Item(
        age=age,
        title=(waiting.title or "").strip() or "(no title)",
        link=words.safe_link(waiting.url),
        where=f"{waiting.repository}#{waiting.number}",
        quiet=", nothing since" if quiet == age else f", last event {quiet} ago",
        labels=waiting.labels,
    )


def _waiting_note(report: Report) -> str:
    meaning = "Open issues on which only the author and bots have commented, if anybody, and their age."
    if len(report.waiting) < report.unanswered:
        return f"{meaning} The oldest {len(report.waiting)} of {report.unanswered:,}."
    return meaning


def _repositories(repositories: Sequence[Repository]) -> Table:
    return Table(
        caption="Open and unanswered are as of now; p50 of the times, with their n.",
        heads=(
            "repository",
            "open",
            "unanswered",
            "first response",
            "n",
            "time to close",
            "n",
            "reopen rate",
            "closed",
        ),
        rows=[
            (
                repository.name,
                f"{repository.open:,}",
                f"{repository.unanswered:,}",
                words.p50(repository.responses.spread),
                f"{repository.responses.spread.n:,}",
                words.p50(repository.close),
                f"{repository.close.n:,}",
                words.share(repository.reopened_issues, repository.closed_issues),
                f"{repository.closed_issues:,}",
            )
            for repository in repositories
        ],
    )
