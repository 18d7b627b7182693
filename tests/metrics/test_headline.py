"""The headline figures as JSON."""

import json
from datetime import date

from metrics.figures import Delay, Percentiles, Responses
from metrics.headline import headline
from tests.support.reports import a_report, an_empty_report


def test_the_headline_is_json() -> None:
    """The headline numbers are plain JSON: counts, percentiles with n, shares of one, ISO dates."""
    assert json.loads(json.dumps(headline(a_report(since=date(2026, 1, 5))))) == {
        "made_at": "2026-03-18T15:30:00+00:00",
        "since": "2026-01-05",
        "repositories": ["acme/app"],
        "open": 29,
        "unanswered": 2,
        "response_unknown": 0,
        "weeks_compared": 13,
        "open_before": 16,
        "time_to_first_response": {
            "n": 60,
            "p50_hours": 5.0,
            "p90_hours": 40.0,
            "answered_within_24h": 45,
            "answered_within_72h": 58,
        },
        "time_to_close": {"n": 48, "p50_hours": 50.0, "p90_hours": 400.0},
        "reopen_rate": {"closed_issues": 50, "reopened_issues": 5, "rate": 0.1},
        "pipeline_delay": {"n": 61, "p50_seconds": 2.4, "p95_seconds": 5.5, "max_seconds": 90.0},
    }


def test_the_headline_has_no_percentile_of_fewer_than_five() -> None:
    """A percentile of too few cases is null, with n beside it."""
    few = Percentiles(n=4, p50=1.0, p90=2.0)
    report = a_report(
        responses=Responses(n=4, p50=1.0, p90=2.0), close=few, delay=Delay(n=4, p50=1.0, p95=1.0, slowest=1.0)
    )
    found = headline(report)
    assert found["time_to_close"] == {"n": 4, "p50_hours": None, "p90_hours": None}
    assert found["time_to_first_response"] == {
        "n": 4,
        "p50_hours": None,
        "p90_hours": None,
        "answered_within_24h": 0,
        "answered_within_72h": 0,
    }
    assert found["pipeline_delay"] == {"n": 4, "p50_seconds": None, "p95_seconds": None, "max_seconds": 1.0}


def test_a_rate_of_nothing_is_null() -> None:
    """The reopen rate is null, not zero, while no issue was closed."""
    found = headline(an_empty_report())
    assert found["reopen_rate"] == {"closed_issues": 0, "reopened_issues": 0, "rate": None}
