"""The figures as JSON, for scripts."""

from metrics.figures import Cohort, LabelTimes, Percentiles, Report
from metrics.waiting import Waiting
from pipeline.targets import State


def headline(report: Report) -> dict[str, object]:
    """Return the figures as plain JSON values; a percentile of fewer than five is null."""
    counts, responses, delay = report.counts, report.responses, report.delay
    states = [waiting.standing.state for waiting in report.waiting]
    return {
        "made_at": report.made_at.isoformat(),
        "since": report.since and report.since.isoformat(),
        "repositories": [repository.name for repository in report.repositories],
        "waiting_on_us": {
            "n": len(states),
            "overdue": states.count(State.OVERDUE),
            "due_soon": states.count(State.DUE_SOON),
            "issues": [_waiting(waiting) for waiting in report.waiting],
        },
        "open": counts.open,
        "open_by_bots": counts.open_by_bots,
        "unanswered": counts.unanswered,
        "response_unknown": counts.unknown,
        "weeks_compared": len(report.recent_weeks),
        "open_before": report.backlog_before,
        "backlog_age": {**_percentiles(report.backlog_age), "max_hours": report.backlog_age.longest},
        "time_to_first_response": {
            **_percentiles(responses),
            "answered_within_24h": responses.within_24h,
            "answered_within_72h": responses.within_72h,
            "closed_unanswered": counts.closed_unanswered,
        },
        "time_to_first_team_response": _percentiles(report.team_responses),
        "time_to_close": {**_percentiles(report.close), "put_aside": counts.put_aside},
        "reopen_rate": {
            "closed_issues": counts.closed_issues,
            "reopened_issues": counts.reopened_issues,
            "rate": counts.reopened_issues / counts.closed_issues if counts.closed_issues else None,
        },
        "by_week_opened": [_cohort(cohort) for cohort in report.cohorts],
        "time_in_label": {label.label: _label(label) for label in report.labels},
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


def _waiting(waiting: Waiting) -> dict[str, object]:
    issue, due_at = waiting.issue, waiting.standing.due_at
    return {
        "repository": issue.repository,
        "number": issue.number,
        "title": issue.title,
        "url": issue.url,
        "author": issue.author,
        "state": waiting.standing.state.value,
        "due_at": due_at and due_at.isoformat(),
        "waiting_since": issue.waiting_since.isoformat(),
        "waiting_hours": issue.waiting_hours,
        "working_hours": issue.working_hours,
        "labels": list(issue.labels),
        "assignees": list(issue.assignees),
    }


def _cohort(cohort: Cohort) -> dict[str, object]:
    return {
        "week": cohort.week.isoformat(),
        "opened": cohort.opened,
        "answered_within_24h": cohort.within_24h,
        "answered_within_72h": cohort.within_72h,
        "closed": cohort.closed,
        "still_open": cohort.still_open,
        "p50_hours_to_close": cohort.close.p50 if cohort.close.is_enough else None,
    }


def _label(label: LabelTimes) -> dict[str, object]:
    return {**_percentiles(label), "open": label.open, "longest_open_hours": label.longest_open}
