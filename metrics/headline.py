"""The headline figures as JSON, for scripts."""

from metrics.figures import Percentiles, Report


def headline(report: Report) -> dict[str, object]:
    """Return the headline figures as plain JSON values; a percentile of fewer than five is null."""
    responses, delay = report.responses, report.delay
    return {
        "made_at": report.made_at.isoformat(),
        "since": report.since and report.since.isoformat(),
        "repositories": [repository.name for repository in report.repositories],
        "open": report.open,
        "unanswered": report.unanswered,
        "response_unknown": report.unknown,
        "weeks_compared": len(report.recent_weeks),
        "open_before": report.backlog_before,
        "time_to_first_response": {
            **_percentiles(responses),
            "answered_within_24h": responses.within_24h,
            "answered_within_72h": responses.within_72h,
        },
        "time_to_close": _percentiles(report.close),
        "reopen_rate": {
            "closed_issues": report.closed_issues,
            "reopened_issues": report.reopened_issues,
            "rate": report.reopened_issues / report.closed_issues if report.closed_issues else None,
        },
        "pipeline_delay": {
            "n": delay.n,
            "p50_seconds": delay.p50 if delay.is_enough else None,
            "p95_seconds": delay.p95 if delay.is_enough else None,
            "max_seconds": delay.slowest,
        },
    }


def _percentiles(of: Percentiles) -> dict[str, object]:
    return {
        "n": of.n,
        "p50_hours": of.p50 if of.is_enough else None,
        "p90_hours": of.p90 if of.is_enough else None,
    }
