"""The totals of a report are derived from its parts."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from tests.support.reports import a_report, a_repository, weeks

ROOT = Path(__file__).parent.parent.parent


def test_totals_are_over_the_repositories() -> None:
    """Open, unanswered, closed and reopened issues are the sums over the repositories."""
    one = a_repository(open_by_bots=3)
    report = a_report(repositories=(one, replace(one, id=2, open=4, unanswered=1, closed_issues=4)))
    assert (report.counts.open, report.counts.unanswered) == (33, 3)
    assert (report.counts.closed_issues, report.counts.reopened_issues) == (54, 10)
    assert report.counts.open_by_people == 27
    assert report.weeks == weeks(20)


def test_metrics_can_be_used_without_matplotlib() -> None:
    """Figures, queries, wording and the digest's week load neither matplotlib nor a Google client."""
    program = (
        "import sys\n"
        "from metrics import figures, headline, queries, rows, times, waiting, week_review, weeks, wording\n"
        "from functions.digest import weekly\n"
        "print([name for name in ('matplotlib', 'google.api_core', 'jinja2') if name in sys.modules])\n"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert outcome.stdout == "[]\n"
