"""From the figures to one HTML file that loads nothing: pure but for its template and style sheet."""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from metrics.figures import Report
from ops.report import sections, sparkline, tables, waiting
from ops.report.charts import charts

FOLDER = Path(__file__).parent
# No HTML may contain these characters; titles and labels from GitHub may.
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
LISTED_AT_FIRST = 5  # more waiting issues are folded away


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
        title=sections.title(report),
        about=sections.about(report),
        css=(FOLDER / "report.css").read_text(encoding="utf-8"),
        nothing_stored=sections.NOTHING_STORED if report.is_empty else "",
        footer="" if report.is_empty else sections.FOOTER,
        **({} if report.is_empty else _content(report)),
    )
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text).strip() + "\n"


def _content(report: Report) -> dict[str, object]:
    answer, detail = waiting.summary(report)
    return {
        "waiting_answer": answer,
        "waiting_detail": detail,
        "waiting_notes": waiting.notes(report),
        "waiting": waiting.items(report),
        "listed_at_first": LISTED_AT_FIRST,
        "answers": sections.answers(report),
        "headlines": sections.headlines(report),
        "charts": charts(report),
        "cohorts": tables.cohorts(report),
        "authors": tables.authors(report),
        "no_cohort": sections.NO_COHORT,
        "labels": tables.labels(report),
        "no_label": sections.NO_LABEL,
        "repositories": tables.repositories(report, sparkline.svg),
    }
