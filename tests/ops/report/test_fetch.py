"""The figures of a report are those of the views, over a year in the local BigQuery."""

from datetime import date, timedelta
from typing import Any

import pytest

from metrics.figures import MAX_UNANSWERED, RECENT_WEEKS, Report
from metrics.rows import RepositoryNames
from metrics.weeks import monday
from ops.report.fetch import ReportQuery, UnknownRepository, fetch, find_repository
from tests.support.warehouse import Warehouse
from tests.support.year import NOW

Views = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def views(warehouse: Warehouse, year_dataset: str) -> Views:
    """Read the views, to compare the report with."""
    names = (
        "issues",
        "issues_weekly",
        "open_issues",
        "pipeline_delay",
        "reopen_rate",
        "time_to_close",
        "time_to_first_response",
    )
    return {name: warehouse.query("SELECT * FROM `${DATASET}." + name + "`", year_dataset) for name in names}


@pytest.fixture(scope="module")
def report(warehouse: Warehouse, year_dataset: str) -> Report:
    """Fetch the report of all repositories and all time."""
    return fetched(warehouse, year_dataset)


def fetched(
    warehouse: Warehouse, dataset: str, repository: str | None = None, since: date | None = None
) -> Report:
    """Fetch a report as of NOW."""
    query = ReportQuery(dataset=dataset, repository=repository, since=since, now=NOW)
    return fetch(warehouse.client, query, lambda _: None)


def percentile(values: list[float], share: float) -> float:
    """Return PERCENTILE_CONT: linear interpolation between the two nearest values."""
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (position - low) * (ordered[high] - ordered[low])


def test_without_a_period_the_numbers_are_those_of_the_views(report: Report, views: Views) -> None:
    """Each repository has the numbers of time_to_close, time_to_first_response and reopen_rate."""
    found = {repository.name: repository for repository in report.repositories}
    assert set(found) == {"acme/app", "acme/cli", "acme/website"}
    for row in views["time_to_close"]:
        close = found[row["repository"]].close
        assert (close.n, close.p50, close.p90) == (row["n"], row["p50_hours"], row["p90_hours"])
    for row in views["time_to_first_response"]:
        repository = found[row["repository"]]
        responses = repository.responses
        assert (responses.n, responses.p50, responses.p90) == (
            row["n"],
            row["p50_hours"],
            row["p90_hours"],
        )
        assert responses.within_24h == row["answered_within_24h"]
        assert responses.within_72h == row["answered_within_72h"]
        assert repository.unanswered == row["unanswered"]
    for row in views["reopen_rate"]:
        repository = found[row["repository"]]
        assert repository.closed_issues == row["closed_issues"]
        assert repository.reopened_issues == row["reopened_issues"]
    assert report.open == len(views["open_issues"])
    answered = [row["answered"] for row in views["open_issues"]]
    assert (report.unanswered, report.unknown) == (answered.count(False), answered.count(None))


def test_percentiles_of_several_repositories_are_over_all_their_issues(report: Report, views: Views) -> None:
    """The percentiles of all time and of a week are computed from the issues of all repositories."""
    issues = views["issues"]
    for key, at, overall in (
        ("time_to_close_hours", "closed_at", report.close),
        ("time_to_first_response_hours", "first_response_at", report.responses),
    ):
        counted = [(row[at], row[key]) for row in issues if row[key] is not None]
        values = [hours for _, hours in counted]
        assert overall.n == len(values) > 100
        assert overall.p50 == pytest.approx(percentile(values, 0.5))
        assert overall.p90 == pytest.approx(percentile(values, 0.9))
        for week in report.weeks:
            percentiles = week.close if key == "time_to_close_hours" else week.response
            within = [hours for moment, hours in counted if monday(moment) == week.week]
            assert percentiles.n == len(within)
            if within:
                assert percentiles.p50 == pytest.approx(percentile(within, 0.5))
                assert percentiles.p90 == pytest.approx(percentile(within, 0.9))
    start = monday(NOW) - timedelta(weeks=RECENT_WEEKS - 1)
    answered = [row["first_response_at"] for row in issues if row["time_to_first_response_hours"] is not None]
    assert report.recent_response.n == sum(moment.date() >= start for moment in answered)
    assert report.recent_response.n + report.earlier_response.n == len(answered)


def test_weeks_are_those_of_the_view(report: Report, views: Views) -> None:
    """Opened, closed and reopened are sums over the repositories; the last backlog is what is open now."""
    rows = views["issues_weekly"]
    assert len(report.weeks) in {53, 54}
    for week in report.weeks:
        here = [row for row in rows if row["week"] == week.week]
        assert week.opened == sum(row["opened"] for row in here)
        assert week.closed == sum(row["closed"] for row in here)
        assert week.reopened == sum(row["reopened"] for row in here)
    assert report.weeks[-1].backlog == report.open
    assert report.weeks[-1].week == monday(NOW)
    assert [week for week in report.weeks if not week.opened], "two weeks without openings are included"


def test_the_backlog_s_age_is_counted_in_buckets(report: Report, views: Views) -> None:
    """Every open issue is in the bucket of its age, as answered, unanswered or not known."""
    for age in report.ages:
        hours = (age.days * 24, float("inf") if age.until is None else age.until * 24)
        within = [row for row in views["open_issues"] if hours[0] <= row["age_hours"] < hours[1]]
        answered = [row["answered"] for row in within]
        assert (age.answered, age.unanswered, age.unknown) == tuple(map(answered.count, (True, False, None)))
    assert sum(age.open for age in report.ages) == report.open > 0


def test_the_oldest_unanswered_issues_come_first(report: Report, views: Views) -> None:
    """The twenty oldest open issues without a response are listed, the oldest first."""
    unanswered = [row for row in views["open_issues"] if row["answered"] is False]
    oldest = sorted(unanswered, key=lambda row: -row["age_hours"])[:MAX_UNANSWERED]
    assert len(report.oldest_unanswered) == MAX_UNANSWERED
    assert [(item.repository, item.number, item.title, item.url) for item in report.oldest_unanswered] == [
        (row["repository"], row["issue_number"], row["title"], row["url"]) for row in oldest
    ]


def test_the_delay_is_that_of_the_view(report: Report, views: Views) -> None:
    """The days of the delay, their deliveries and the slowest are those of pipeline_delay."""
    first = NOW.date() - timedelta(days=90)
    rows = [row for row in views["pipeline_delay"] if row["day"] >= first and row["n"]]
    rows.sort(key=lambda row: row["day"])
    assert [(day.day, day.n, day.p50, day.p95, day.slowest) for day in report.delay.days] == [
        (row["day"], row["n"], row["p50_seconds"], row["p95_seconds"], row["max_seconds"]) for row in rows
    ]
    assert report.delay.n == sum(row["n"] for row in rows)
    assert report.delay.slowest == max(row["max_seconds"] for row in rows)


def test_a_period_counts_what_happened_in_it(
    warehouse: Warehouse, year_dataset: str, report: Report, views: Views
) -> None:
    """With a first day, rounded down to its Monday, only what happened since then counts."""
    since = monday(NOW) - timedelta(weeks=8)
    found = fetched(warehouse, year_dataset, since=since + timedelta(days=3))
    assert found.since == since
    assert [week.week for week in found.weeks] == [since + timedelta(weeks=index) for index in range(9)]
    assert found.weeks == report.weeks[-9:]
    assert found.initial_backlog == report.weeks[-10].backlog
    closed = [
        row
        for row in views["issues"]
        if row["time_to_close_hours"] is not None and row["closed_at"].date() >= since
    ]
    assert found.close.n == len(closed) < report.close.n
    first_closed = [
        row for row in views["issues"] if row["first_closed_at"] and row["first_closed_at"].date() >= since
    ]
    assert found.closed_issues == len(first_closed)
    assert found.open == report.open
    assert [item.number for item in found.oldest_unanswered] == [
        item.number for item in report.oldest_unanswered
    ]


def test_a_reopening_implies_a_close_without_a_date(report: Report, views: Views) -> None:
    """An issue reopened after an unknown close counts as closed over all time; see above for a period."""
    reopened = [row for row in views["issues"] if row["reopen_count"] and not row["first_closed_at"]]
    closed = [row for row in views["issues"] if row["first_closed_at"]]
    assert reopened
    assert report.closed_issues == len(closed) + len(reopened)


def test_one_repository_is_alone(warehouse: Warehouse, year_dataset: str, report: Report) -> None:
    """With --repository, in any case, every part except the pipeline's delay is about that repository."""
    found = fetched(warehouse, year_dataset, repository="Acme/WebSite")
    [alone] = found.repositories
    [same] = [item for item in report.repositories if item.name == "acme/website"]
    assert alone == same
    assert found.close == same.close
    assert found.responses == same.responses
    assert {item.repository for item in found.oldest_unanswered} == {"acme/website"}
    assert sum(age.open for age in found.ages) == found.open == same.open
    assert found.delay == report.delay


def test_a_repository_is_found_by_an_older_name() -> None:
    """A renamed repository is found by both names; a reused name means the repository that has it last."""
    rows = [
        RepositoryNames(id=1, name="acme/new", names=("acme/old", "acme/new")),
        RepositoryNames(id=2, name="acme/taken", names=("acme/taken",)),
        RepositoryNames(id=3, name="acme/moved", names=("acme/taken", "acme/moved")),
        RepositoryNames(id=4, name="acme/new", names=("acme/new",)),  # deleted
    ]
    for name, expected in (("acme/new", 1), ("ACME/Old", 1), ("acme/taken", 2), ("acme/moved", 3)):
        assert find_repository(name, rows) == expected
    with pytest.raises(UnknownRepository) as raised:
        find_repository("acme/none", rows)
    assert raised.value.known == ("acme/moved", "acme/new", "acme/taken")
