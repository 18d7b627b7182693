"""From the figures to one HTML file that loads nothing: pure but for its template and style sheet."""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from metrics import wording
from metrics.figures import MIN_CASES, Report
from ops.report import sections
from ops.report.charts import charts

FOLDER = Path(__file__).parent
# No HTML may contain these characters; titles and labels from GitHub may.
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
NOTHING_STORED = (
    "No issue is stored yet, so there is nothing to show. As soon as the webhook delivers, or after "
    "./issuewire backfill OWNER/REPO has read what was there before, this page fills."
)
FOOTER = (
    "All times are UTC. Pull requests are left out of all but the pipeline's delay. Percentiles are shown "
    f"with their n, and not at all where n is under {MIN_CASES}. Deleted and transferred issues count in "
    "opened, closed and the reopen rate, not in the times to respond and to close."
)


def render(report: Report) -> str:
    """Return the page; its text can be encoded as UTF-8."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template("report.html.j2").render(
        title=f"How issues are answered: {_subject(report)}",
        about=_about(report),
        css=(FOLDER / "report.css").read_text(encoding="utf-8"),
        nothing_stored=NOTHING_STORED if report.is_empty else "",
        footer=FOOTER,
        **({} if report.is_empty else _content(report)),
    )
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text).strip() + "\n"


def _content(report: Report) -> dict[str, object]:
    return {
        "answers": sections.answers(report),
        "headlines": sections.headlines(report),
        "charts": charts(report),
        "unanswered": [sections.unanswered_item(issue) for issue in report.oldest_unanswered],
        "unanswered_note": sections.unanswered_note(report),
        "repositories": sections.repository_table(report),
    }


def _subject(report: Report) -> str:
    names = [repository.name for repository in report.repositories]
    if not names:
        return report.requested or "no repository yet"
    return " and ".join(names) if len(names) < 3 else f"{len(names)} repositories"


def _about(report: Report) -> str:
    made = f"Made on {wording.day(report.made_at.date())} at {report.made_at:%H:%M} UTC"
    if report.since is not None:
        return f"{made} from what happened since Monday, {wording.day(report.since)}; open issues as of now."
    if report.weeks:
        return f"{made} from all that is stored, since the week of {wording.day(report.weeks[0].week)}."
    return f"{made}."
