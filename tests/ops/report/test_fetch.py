"""The figures of a report are those of the views, over a year in the local BigQuery."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from clients.bigquery import QueryRunner
from local.seed.year import team
from metrics.figures import MAX_LABELS, RECENT_WEEKS, TREND_WEEKS, LabelTimes, Report
from metrics.queries import REPOSITORIES
from metrics.rows import RepositoryNames
from metrics.weeks import monday
from ops.report.fetch import ReportQuery, UnknownRepository, choose_labels, fetch, find_repository
from pipeline.targets import State
from tests.ops.report.conftest import VIEWS
from tests.support.warehouse import Warehouse
from tests.support.year import NOW

Views = dict[str, list[dict[str, Any]]]

REOPENED_ISSUES = """
SELECT
  1 AS repository_id, 'acme/app' AS repository, 'open' AS state, FALSE AS waiting_on_us,
  TIMESTAMP '2025-01-01' AS entered_at, CAST(NULL AS TIMESTAMP) AS first_response_at,
  FALSE AS response_unknown, CAST(NULL AS TIMESTAMP) AS closed_at, CAST(NULL AS STRING) AS close_reason,
  FALSE AS closed_unanswered,
  is_bot_authored, reopen_count, first_closed_at
FROM UNNEST([
  STRUCT(FALSE AS is_bot_authored, 1 AS reopen_count, TIMESTAMP '2026-03-03' AS first_closed_at),
  STRUCT(FALSE, 1, NULL), STRUCT(FALSE, 0, NULL), STRUCT(TRUE, 1, NULL)
])
"""


@pytest.fixture(scope="module")
def views(warehouse: Warehouse, year_dataset: str) -> Views:
    """Read what the views show, to compare the report with."""
    return {name: warehouse.query("SELECT * FROM `${DATASET}." + name + "`", year_dataset) for name in VIEWS}


@pytest.fixture(scope="module")
def report(warehouse: Warehouse, year_dataset: str) -> Report:
    """Fetch the report of all repositories and all time."""
    return fetched(warehouse, year_dataset)


def fetched(
    warehouse: Warehouse, dataset: str, repository: str | None = None, since: date | None = None
) -> Report:
    """Fetch a report as of NOW."""
    query = ReportQuery(dataset=dataset, repository=repository, since=since, now=NOW, team=team())
    return fetch(warehouse.client, query, lambda _: None)


def percentile(values: list[float], share: float) -> float:
    """Return PERCENTILE_CONT: linear interpolation between the two nearest values."""
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (position - low) * (ordered[high] - ordered[low])


def _is_of_others(row: dict[str, Any], views: Views) -> bool:
    logins = {account["login"] for account in views["accounts"]}
    return not row["is_bot_authored"] and (row["author"] or "").lower() not in logins


def test_without_a_period_the_numbers_are_those_of_the_views(report: Report, views: Views) -> None:
    """Each repository has the numbers of time_to_close, time_to_first_response and reopen_rate."""
    found = {repository.name: repository for repository in report.repositories}
    assert set(found) == {"acme/app", "acme/cli", "acme/website"}
    for row in views["time_to_close"]:
        close = found[row["repository"]].close
        assert (close.n, close.p50, close.p90) == (row["n"], row["p50_hours"], row["p90_hours"])
        assert found[row["repository"]].put_aside == row["put_aside"]
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
        assert repository.closed_unanswered == row["closed_unanswered"]
    for row in views["reopen_rate"]:
        repository = found[row["repository"]]
        assert repository.closed_issues == row["closed_issues"]
        assert repository.reopened_issues == row["reopened_issues"]
    assert report.counts.open == len(views["open_issues"])
    assert report.counts.open_by_bots == sum(row["is_bot_authored"] for row in views["open_issues"])
    answered = [row["answered"] for row in views["open_issues"] if not row["is_bot_authored"]]
    assert (report.counts.unanswered, report.counts.unknown) == (answered.count(False), answered.count(None))
    assert report.counts.waiting == len(views["waiting_on_us"])


def test_percentiles_of_several_repositories_are_over_all_their_issues(report: Report, views: Views) -> None:
    """The percentiles of all time and of a week are computed from the issues of all repositories."""
    issues = [row for row in views["issues"] if not row["is_bot_authored"]]
    completed = [row for row in issues if row["close_reason"] == "completed"]
    for key, at, overall, rows in (
        ("time_to_close_hours", "closed_at", report.close, completed),
        ("time_to_first_response_hours", "first_response_at", report.responses, issues),
    ):
        counted = [(row[at], row[key]) for row in rows if row[key] is not None]
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
    assert len(issues) < len(views["issues"])
    assert len(completed) < sum(row["close_reason"] is not None for row in issues)


def test_the_team_and_others_are_apart(report: Report, views: Views) -> None:
    """Issues of the team, of others and of bots are counted apart, and so are the responses of the team."""
    logins = {row["login"] for row in views["accounts"] if row["role"] == "team"}
    parts = {"the team": set[int](), "others": set[int](), "bots": set[int]()}
    for index, row in enumerate(views["issues"]):
        of_team = (row["author"] or "").lower() in logins
        parts["bots" if row["is_bot_authored"] else "the team" if of_team else "others"].add(index)
    assert [authors.name for authors in report.authors] == list(parts)
    for authors in report.authors:
        rows = [views["issues"][index] for index in parts[authors.name]]
        assert authors.opened == len(rows) > 0
        assert authors.open == sum(row["state"] == "open" for row in rows)
        assert authors.waiting == sum(row["waiting_on_us"] for row in rows)
    bots = report.authors[2]
    assert bots.response.n == bots.team_response.n == bots.close.n == 0
    assert sum(authors.response.n for authors in report.authors) == report.responses.n
    assert sum(authors.team_response.n for authors in report.authors) == report.team_responses.n
    hours = [
        max((row["first_team_response_at"] - row["opened_at"]) / timedelta(hours=1), 0)
        for row in views["issues"]
        if row["first_team_response_at"]
        and not row["is_bot_authored"]
        and row["time_to_first_response_hours"] is not None
    ]
    assert report.team_responses.n == len(hours) > 100
    assert report.team_responses.p50 == pytest.approx(percentile(hours, 0.5))


def test_the_weeks_of_opening_are_those_of_the_view(report: Report, views: Views) -> None:
    """What became of a week's issues is the sum over the repositories; the p50 is over all their issues."""
    rows = views["issues_by_week_opened"]
    assert [cohort.week for cohort in report.cohorts] == sorted(
        {row["week"] for row in rows if row["opened"]}
    )
    for cohort in report.cohorts:
        here = [row for row in rows if row["week"] == cohort.week]
        assert (
            cohort.opened,
            cohort.closed,
            cohort.still_open,
            cohort.within_24h,
            cohort.within_72h,
        ) == tuple(
            sum(row[name] for row in here)
            for name in ("opened", "closed", "still_open", "answered_within_24h", "answered_within_72h")
        )
        hours = [
            row["time_to_close_hours"]
            for row in views["issues"]
            if monday(row["entered_at"]) == cohort.week
            and row["time_to_close_hours"] is not None
            and row["close_reason"] == "completed"
            and not row["is_bot_authored"]
        ]
        assert cohort.close.n == len(hours)
        if hours:
            assert cohort.close.p50 == pytest.approx(percentile(hours, 0.5))


def test_time_in_label_is_that_of_the_view(report: Report, views: Views) -> None:
    """The most used labels are shown, each with the time of the issues that carried it while open."""
    by_label: dict[str, list[dict[str, Any]]] = {}
    for row in views["time_in_label"]:
        if row["hours"] or row["open_since"]:
            by_label.setdefault(row["label"], []).append(row)
    most = sorted(by_label, key=lambda label: (-len(by_label[label]), label))[:MAX_LABELS]
    assert [label.label for label in report.labels] == most
    for label in report.labels:
        rows = by_label[label.label]
        assert label.n == len(rows)
        assert label.p50 == pytest.approx(percentile([row["hours"] for row in rows], 0.5))
        assert label.p90 == pytest.approx(percentile([row["hours"] for row in rows], 0.9))
        now = [row["open_since"] for row in rows if row["open_since"]]
        assert label.open == len(now)
        assert label.longest_open == pytest.approx((NOW - min(now)) / timedelta(hours=1), abs=1)


def test_labels_are_chosen_in_any_case() -> None:
    """A chosen label is found in any case, in the order of the choice; one that no issue carried is empty."""
    found = [LabelTimes(label=label, n=9 - index) for index, label in enumerate(["Bug", "abcdefgh"])]
    chosen = choose_labels(found, ("abcdefgh", "BUG", "none"))
    assert [(label.label, label.n) for label in chosen] == [("abcdefgh", 8), ("Bug", 9), ("none", 0)]
    many = [LabelTimes(label=str(index), n=9) for index in range(9)]
    assert choose_labels(many, ()) == tuple(many[:MAX_LABELS])


def test_who_waits_is_that_of_the_view(report: Report, views: Views) -> None:
    """Every waiting issue of the view is there, the overdue ones first, each with what its target says."""
    rows = {(row["repository"], row["issue_number"]): row for row in views["waiting_on_us"]}
    found = {(each.issue.repository, each.issue.number): each for each in report.waiting}
    assert set(found) == set(rows)
    for key, row in rows.items():
        issue = found[key].issue
        assert (issue.title, issue.author, issue.labels) == (
            row["title"],
            row["author"],
            tuple(row["labels"]),
        )
        assert (issue.waiting_since, issue.working_hours) == (row["waiting_since"], row["working_hours"])
        assert found[key].standing.due_at is not None, "every issue has a target"
    states = [each.standing.state for each in report.waiting]
    assert states == sorted(states, key=list(State).index)
    assert set(states) == set(State)
    assert (report.has_targets, report.has_team) == (True, True)


def test_weeks_are_those_of_the_view(report: Report, views: Views) -> None:
    """Opened, closed and reopened are sums over the repositories; the last backlog is what is open now."""
    rows = views["issues_weekly"]
    assert len(report.weeks) in {53, 54}
    for week in report.weeks:
        here = [row for row in rows if row["week"] == week.week]
        assert week.opened == sum(row["opened"] for row in here)
        assert week.closed == sum(row["closed"] for row in here)
        assert week.reopened == sum(row["reopened"] for row in here)
    assert report.weeks[-1].backlog == report.counts.open
    assert report.weeks[-1].week == monday(NOW)
    assert [week for week in report.weeks if not week.opened], "two weeks without openings are included"


def test_each_repository_has_its_trend(report: Report, views: Views) -> None:
    """A repository's trend ends with its open issues, and has half a year."""
    for repository in report.repositories:
        assert len(repository.trend) == TREND_WEEKS
        assert repository.trend[-1] == repository.open
        [week] = [
            row["backlog"]
            for row in views["issues_weekly"]
            if row["repository"] == repository.name and row["week"] == report.weeks[-6].week
        ]
        assert repository.trend[-6] == week


def test_the_backlog_s_age_is_counted_in_buckets(report: Report, views: Views) -> None:
    """Every open issue of people is in the bucket of its age, as answered, unanswered or not known."""
    of_people = [row for row in views["open_issues"] if not row["is_bot_authored"]]
    for age in report.ages:
        hours = (age.days * 24, float("inf") if age.until is None else age.until * 24)
        within = [row for row in of_people if hours[0] <= row["age_hours"] < hours[1]]
        answered = [row["answered"] for row in within]
        assert (age.answered, age.unanswered, age.unknown) == tuple(map(answered.count, (True, False, None)))
    assert sum(age.open for age in report.ages) == report.counts.open_by_people > 0


def test_the_age_of_the_backlog_is_over_all_repositories(report: Report, views: Views) -> None:
    """The percentiles are over the open issues of people in all repositories."""
    hours = [row["age_hours"] for row in views["open_issues"] if not row["is_bot_authored"]]
    age = report.backlog_age
    assert (age.n, age.longest) == (len(hours), max(hours))
    assert age.p50 == pytest.approx(percentile(hours, 0.5))
    assert age.p90 == pytest.approx(percentile(hours, 0.9))


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
        if row["time_to_close_hours"] is not None
        and row["closed_at"].date() >= since
        and row["close_reason"] == "completed"
        and not row["is_bot_authored"]
    ]
    assert found.close.n == len(closed) < report.close.n
    first_closed = [
        row
        for row in views["issues"]
        if row["first_closed_at"] and row["first_closed_at"].date() >= since and not row["is_bot_authored"]
    ]
    assert found.counts.closed_issues == len(first_closed)
    assert found.counts.open == report.counts.open
    assert found.cohorts == tuple(cohort for cohort in report.cohorts if cohort.week >= since)
    assert found.authors[1].opened == sum(
        row["entered_at"].date() >= since for row in views["issues"] if _is_of_others(row, views)
    )
    assert [each.issue.number for each in found.waiting] == [each.issue.number for each in report.waiting]


def test_a_reopening_implies_a_close_without_a_date(warehouse: Warehouse) -> None:
    """An issue reopened after an unknown close counts as closed over all time, and in no period."""
    dataset = warehouse.unused_name()
    for statement in (f"CREATE SCHEMA `{dataset}`", f"CREATE TABLE `{dataset}.issues` AS {REOPENED_ISSUES}"):
        warehouse.query(statement, dataset)
    run = QueryRunner(warehouse.client, dataset, lambda _: None)

    def counted(since: datetime) -> tuple[int, int]:
        [found] = run(REPOSITORIES, {"repository": None, "since": since})
        return found.closed_issues, found.reopened_issues

    assert counted(datetime(1, 1, 1, tzinfo=UTC)) == (2, 2), "neither the bot's nor the one that is open"
    assert counted(datetime(2026, 1, 1, tzinfo=UTC)) == (1, 1)


def test_one_repository_is_alone(
    warehouse: Warehouse, year_dataset: str, report: Report, views: Views
) -> None:
    """With --repository, in any case, every part except the pipeline's delay is about that repository."""
    found = fetched(warehouse, year_dataset, repository="Acme/WebSite")
    [alone] = found.repositories
    [same] = [item for item in report.repositories if item.name == "acme/website"]
    assert alone == same
    assert found.close == same.close
    assert found.responses == same.responses
    assert {each.issue.repository for each in found.waiting} == {"acme/website"}
    assert sum(age.open for age in found.ages) == found.counts.open_by_people == same.open_by_people
    assert found.delay == report.delay
    [age] = [row for row in views["backlog_age"] if row["repository"] == "acme/website"]
    assert found.backlog_age.n == age["n"]
    assert found.backlog_age.p50 == pytest.approx(age["p50_hours"], abs=0.1)
    assert found.backlog_age.longest == pytest.approx(age["max_hours"], abs=0.1)


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
