"""ops report: a year in the local BigQuery becomes one file whose numbers are those of the views."""

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from local.processes import free_port
from metrics import queries as report_sql
from metrics.figures import RECENT_WEEKS, Report, monday
from ops import schema
from ops.__main__ import ops
from ops.report import command as report_module
from ops.report import fetch as report_queries
from ops.report.fetch import UnknownRepository, Wanted, fetch, find
from ops.send import accounts
from tests.support import year
from tests.support.messages import an_issue
from tests.support.warehouse import PROJECT, Proxy, Warehouse

NOW = datetime.now(UTC)
TABLES = ("open_issues", "pipeline_delay", "reopen_rate", "time_to_close", "time_to_first_response")


@pytest.fixture(scope="module")
def dataset(warehouse: Warehouse) -> str:
    """Make a dataset that holds a year of two repositories."""
    name = warehouse.dataset()
    rows = year.rows(NOW)
    for first in range(0, len(rows), 500):
        warehouse.insert(name, rows[first : first + 500])
    return name


@pytest.fixture(scope="module")
def views(warehouse: Warehouse, dataset: str) -> dict[str, list[dict[str, Any]]]:
    """Read the views that the numbers are compared with."""
    names = (*TABLES, "issues", "issues_weekly")
    return {name: warehouse.query("SELECT * FROM `${DATASET}." + name + "`", dataset) for name in names}


@pytest.fixture(scope="module")
def everything(warehouse: Warehouse, dataset: str) -> Report:
    """Fetch the report of all repositories and all time."""
    return fetched(warehouse, dataset)


def fetched(
    warehouse: Warehouse, dataset: str, repository: str | None = None, since: date | None = None
) -> Report:
    """Fetch a report as of NOW."""
    wanted = Wanted(dataset=dataset, repository=repository, since=since, now=NOW)
    return fetch(warehouse.client, wanted, lambda _: None)


@pytest.fixture
def local(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point the command to the local BigQuery."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", warehouse.url)
    monkeypatch.delenv("BIGQUERY_DATASET", raising=False)


def invoke(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(ops, ["report", *arguments], prog_name="ops")


def one_line_of(result: Result) -> str:
    """Return the only line that a failed command says, its progress apart."""
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    [line] = [line for line in result.stderr.splitlines() if not re.match(r" *\d+ s  reading ", line)]
    return line


def percentile(values: list[float], share: float) -> float:
    """Return PERCENTILE_CONT: linear between the two values next to the place."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def test_without_a_period_the_numbers_are_those_of_the_views(
    everything: Report, views: dict[str, list[dict[str, Any]]]
) -> None:
    """For each repository the report says what time_to_close, time_to_first_response and reopen_rate say."""
    found = {repository.name: repository for repository in everything.repositories}
    assert set(found) == {"acme/app", "acme/website"}
    for row in views["time_to_close"]:
        close = found[row["repository"]].close
        assert (close.n, close.p50, close.p90) == (row["n"], row["p50_hours"], row["p90_hours"])
    for row in views["time_to_first_response"]:
        repository = found[row["repository"]]
        responses = repository.responses
        assert (responses.spread.n, responses.spread.p50, responses.spread.p90) == (
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
    assert everything.open == len(views["open_issues"])
    assert everything.unanswered == sum(not row["answered"] for row in views["open_issues"])


def test_percentiles_of_several_repositories_are_over_all_their_issues(
    everything: Report, views: dict[str, list[dict[str, Any]]]
) -> None:
    """Together, in a week and in the last quarter, percentiles are those of all issues, worked out anew."""
    issues = views["issues"]
    for key, at, whole in (
        ("time_to_close_hours", "closed_at", everything.close),
        ("time_to_first_response_hours", "first_response_at", everything.responses.spread),
    ):
        counted = [(row[at], row[key]) for row in issues if row[key] is not None]
        values = [hours for _, hours in counted]
        assert whole.n == len(values) > 100
        assert whole.p50 == pytest.approx(percentile(values, 0.5))
        assert whole.p90 == pytest.approx(percentile(values, 0.9))
        for week in everything.weeks:
            spread = week.close if key == "time_to_close_hours" else week.response
            within = [hours for moment, hours in counted if monday(moment) == week.week]
            assert spread.n == len(within)
            if within:
                assert spread.p50 == pytest.approx(percentile(within, 0.5))
                assert spread.p90 == pytest.approx(percentile(within, 0.9))
    start = monday(NOW) - timedelta(weeks=RECENT_WEEKS - 1)
    answered = [row["first_response_at"] for row in issues if row["time_to_first_response_hours"] is not None]
    assert everything.recent_response.n == sum(moment.date() >= start for moment in answered)
    assert everything.recent_response.n + everything.earlier_response.n == len(answered)


def test_weeks_are_those_of_the_view(everything: Report, views: dict[str, list[dict[str, Any]]]) -> None:
    """Opened, closed and reopened add up over the repositories, and the last backlog is what is open now."""
    rows = views["issues_weekly"]
    assert len(everything.weeks) in {53, 54}
    for week in everything.weeks:
        here = [row for row in rows if row["week"] == week.week]
        assert week.opened == sum(row["opened"] for row in here)
        assert week.closed == sum(row["closed"] for row in here)
        assert week.reopened == sum(row["reopened"] for row in here)
    assert everything.weeks[-1].backlog == everything.open
    assert everything.weeks[-1].week == monday(NOW)
    silent = [week for week in everything.weeks if not week.opened]
    assert silent, "the silent fortnight is there, with zeros"


def test_the_backlog_s_age_is_counted_in_buckets(
    everything: Report, views: dict[str, list[dict[str, Any]]]
) -> None:
    """Every open issue is in the bucket of its age, as answered or unanswered."""
    for age in everything.ages:
        hours = (age.days * 24, float("inf") if age.until is None else age.until * 24)
        within = [row for row in views["open_issues"] if hours[0] <= row["age_hours"] < hours[1]]
        assert age.answered == sum(row["answered"] for row in within)
        assert age.unanswered == sum(not row["answered"] for row in within)
    assert sum(age.answered + age.unanswered for age in everything.ages) == everything.open > 0


def test_who_waits_longest_comes_first(everything: Report, views: dict[str, list[dict[str, Any]]]) -> None:
    """The twenty oldest open issues without a response are listed, the oldest first."""
    unanswered = [row for row in views["open_issues"] if not row["answered"]]
    oldest = sorted(unanswered, key=lambda row: -row["age_hours"])[: report_queries.MOST_WAITING]
    assert len(everything.waiting) == report_queries.MOST_WAITING
    assert [(item.repository, item.number, item.title, item.url) for item in everything.waiting] == [
        (row["repository"], row["issue_number"], row["title"], row["url"]) for row in oldest
    ]


def test_the_delay_is_that_of_the_view(everything: Report, views: dict[str, list[dict[str, Any]]]) -> None:
    """The delay's days, their deliveries and the slowest are those of pipeline_delay."""
    first = NOW.date() - timedelta(days=90)
    rows = sorted((row for row in views["pipeline_delay"] if row["day"] >= first), key=lambda row: row["day"])
    assert [(day.day, day.n, day.p50, day.p95, day.most) for day in everything.delay.days] == [
        (row["day"], row["n"], row["p50_seconds"], row["p95_seconds"], row["max_seconds"]) for row in rows
    ]
    assert everything.delay.n == sum(row["n"] for row in rows)
    assert everything.delay.most == max(row["max_seconds"] for row in rows)


def test_a_period_counts_what_happened_in_it(
    warehouse: Warehouse, dataset: str, everything: Report, views: dict[str, list[dict[str, Any]]]
) -> None:
    """With a first day, taken back to its Monday, what happened since then counts."""
    since = monday(NOW) - timedelta(weeks=8)
    found = fetched(warehouse, dataset, since=since + timedelta(days=3))
    assert found.since == since
    assert [week.week for week in found.weeks] == [since + timedelta(weeks=index) for index in range(9)]
    assert found.weeks == everything.weeks[-9:]
    assert found.backlog_before == everything.weeks[-10].backlog
    closed = [
        row
        for row in views["issues"]
        if row["time_to_close_hours"] is not None and row["closed_at"].date() >= since
    ]
    assert found.close.n == len(closed) < everything.close.n
    first_closed = [
        row for row in views["issues"] if row["first_closed_at"] and row["first_closed_at"].date() >= since
    ]
    assert found.closed_issues == len(first_closed)
    assert (found.open, found.waiting) == (everything.open, found.waiting)
    assert [item.number for item in found.waiting] == [item.number for item in everything.waiting]


def test_one_repository_is_alone(warehouse: Warehouse, dataset: str, everything: Report) -> None:
    """With --repository, in any case, every part but the pipeline's delay is about that one alone."""
    found = fetched(warehouse, dataset, repository="Acme/WebSite")
    [alone] = found.repositories
    [same] = [item for item in everything.repositories if item.name == "acme/website"]
    assert alone == same
    assert found.close == same.close
    assert found.responses == same.responses
    assert {item.repository for item in found.waiting} == {"acme/website"}
    assert sum(age.answered + age.unanswered for age in found.ages) == found.open == same.open
    assert found.delay == everything.delay


def test_a_repository_is_found_by_an_older_name() -> None:
    """A renamed repository is found by both names; a name that another has taken over is that other one."""
    rows = [
        {"repository_id": 1, "name": "acme/new", "names": ["acme/old", "acme/new"]},
        {"repository_id": 2, "name": "acme/taken", "names": ["acme/taken"]},
        {"repository_id": 3, "name": "acme/moved", "names": ["acme/taken", "acme/moved"]},
    ]
    assert [find(name, rows) for name in ("acme/new", "ACME/Old", "acme/taken", "acme/moved")] == [1, 1, 2, 3]
    with pytest.raises(UnknownRepository) as raised:
        find("acme/none", rows)
    assert raised.value.known == ("acme/moved", "acme/new", "acme/taken")


@pytest.mark.usefixtures("local")
def test_the_command_writes_the_page_and_says_the_numbers(
    dataset: str, tmp_path: Path, everything: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--out writes the page, readable by others and with nothing beside it; --json prints the numbers."""
    monkeypatch.setenv("BIGQUERY_DATASET", f"{PROJECT}.{dataset}")
    out = tmp_path / "report.html"
    out.write_text("an older report")
    result = invoke("--out", str(out), "--json")
    assert result.exit_code == 0, result.output
    numbers = json.loads(result.stdout)
    assert numbers["open"] == everything.open
    assert numbers["time_to_close"]["n"] == everything.close.n
    assert f"wrote {out}" in result.stderr
    html = out.read_text("utf-8")
    assert html.startswith("<!DOCTYPE html>")
    assert html.count("<svg ") == 12
    assert "<script>alert(1)</script>" not in html
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert out.stat().st_mode & 0o777 == 0o644


@pytest.mark.usefixtures("local")
def test_first_nothing_then_a_reopening(warehouse: Warehouse, tmp_path: Path) -> None:
    """Empty views give a page that says so, and status 0; a lone reopening tells of a close, undated."""
    out = tmp_path / "report.html"
    dataset = warehouse.dataset()
    result = invoke("--project", PROJECT, "--dataset", dataset, "--out", str(out))
    assert result.exit_code == 0, result.output
    assert "No issue is stored yet" in out.read_text("utf-8")
    at = NOW - timedelta(days=3)
    event = an_issue(created_at=NOW - timedelta(days=9)).reopened(accounts.Account(login="mona"), at)
    warehouse.insert(dataset, [year.row_of(event, "d-1", at, at)])
    ask = report_queries._Asker(warehouse.client, dataset, lambda _: None)
    for since, counted in ((datetime(1, 1, 1, tzinfo=UTC), 1), (NOW - timedelta(days=40), 0)):
        period = {"repository": None, "since": since}
        [found] = ask("the repositories", report_sql.REPOSITORIES, period)
        assert (found["open"], found["closed_issues"], found["reopened_issues"]) == (1, counted, counted)
    [view] = warehouse.query("SELECT * FROM `${DATASET}.reopen_rate`", dataset)
    assert (view["closed_issues"], view["reopened_issues"]) == (1, 1)


@pytest.mark.usefixtures("local")
def test_what_is_missing_is_one_line(warehouse: Warehouse, tmp_path: Path) -> None:
    """A dataset or a view that does not exist is told with the command that makes it; no file appears."""
    out = tmp_path / "report.html"
    missing, half = warehouse.empty(), warehouse.empty()
    for path in (schema.SQL / "events.sql", schema.SQL / "views" / "issue_events.sql"):
        for statement in schema.statements(path, half):
            warehouse.query(statement, half)
    for name in (missing, half):
        line = one_line_of(invoke("--project", PROJECT, "--dataset", name, "--out", str(out)))
        assert f"run ./issuewire schema apply --project {PROJECT} --dataset {name}" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("local")
def test_an_unknown_repository_is_one_line(dataset: str, tmp_path: Path) -> None:
    """A repository of which nothing is stored is told with those that are; no file appears."""
    out = tmp_path / "report.html"
    arguments = ("--project", PROJECT, "--dataset", dataset, "--repository", "acme/ap", "--out", str(out))
    assert one_line_of(invoke(*arguments)) == (
        "Error: nothing is stored of acme/ap; stored are: acme/app, acme/website"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def proxy(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Stand between the command and the engine, with short bounds."""
    proxy = Proxy(warehouse.url)
    proxy.start()
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", proxy.url)
    monkeypatch.setattr(report_queries, "RETRY_SECONDS", 0.4)
    monkeypatch.setattr(report_queries, "QUERY_SECONDS", 0.4)
    yield proxy
    proxy.stop()


def test_a_refusal_is_one_line(proxy: Proxy, tmp_path: Path) -> None:
    """What BigQuery refuses is told in its own words, in one line; no file appears."""
    refusal = {"error": {"code": 403, "message": "Access Denied: no right\nto query"}}
    proxy.answer = lambda *_: (403, json.dumps(refusal).encode())
    line = one_line_of(invoke("--project", PROJECT, "--out", str(tmp_path / "report.html")))
    assert line.startswith("Error: BigQuery refused or did not answer: 403 ")
    assert list(tmp_path.iterdir()) == []


def test_a_silent_bigquery_is_one_line(proxy: Proxy, tmp_path: Path) -> None:
    """A BigQuery that takes the request and stays silent is given up within the bound."""
    proxy.hold.set()
    line = one_line_of(invoke("--project", PROJECT, "--out", str(tmp_path / "report.html")))
    assert line.startswith("Error: BigQuery refused or did not answer: ")
    assert proxy.requests
    assert list(tmp_path.iterdir()) == []


def test_an_unreachable_bigquery_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A BigQuery that cannot be reached is given up within the bound."""
    monkeypatch.setattr(report_queries, "RETRY_SECONDS", 0.4)
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", f"http://127.0.0.1:{free_port()}")
    line = one_line_of(invoke("--project", PROJECT, "--json"))
    assert line.startswith("Error: BigQuery refused or did not answer: ")


def test_missing_credentials_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials the command says so, and what to run."""
    for name in ("BIGQUERY_EMULATOR_HOST", "BIGQUERY_DATASET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    line = one_line_of(invoke("--project", "some-project", "--json"))
    assert re.fullmatch(r"Error: no credentials: .+; run gcloud auth application-default login", line)


def test_a_file_that_cannot_be_written_is_one_line(proxy: Proxy, tmp_path: Path) -> None:
    """A folder that does not exist is told before BigQuery is asked."""
    out = tmp_path / "none" / "report.html"
    line = one_line_of(invoke("--project", PROJECT, "--out", str(out)))
    assert line == f"Error: {out} cannot be written: {out.parent} is no folder"
    assert proxy.requests == []


def test_a_write_that_fails_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the new file cannot take the old one's place, the old one stays, and nothing lies beside it."""
    out = tmp_path / "report.html"
    out.write_text("an older report")

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(report_module.click.ClickException, match="No space left on device"):
        report_module.write(out, "new")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert out.read_text() == "an older report"


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ((), "", "give --out FILE, or --json"),
        (("--json",), "", "give --project, or set BIGQUERY_DATASET to PROJECT.DATASET"),
        (("--json",), "no-dot", "BIGQUERY_DATASET is not of the form PROJECT.DATASET"),
        (("--json", "--project", "a b"), "", "is not a project ID"),
        (("--json", "--project", "p", "--dataset", "a`b"), "", "use letters, digits and underscores only"),
        (("--json", "--project", "p", "--since", "2999-01-01"), "", "is in the future"),
        (("--json", "--project", "p", "--since", "soon"), "", "'soon' does not match the format '%Y-%m-%d'"),
        (("--out", "."), "p.d", "is a directory"),
    ],
)
def test_wrong_use_is_told(
    arguments: tuple[str, ...], environment: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is missing or cannot be is told before anything is called."""
    monkeypatch.setenv("BIGQUERY_DATASET", environment)
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert expected in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("project", "dataset", "environment", "expected"),
    [
        (None, None, "p.d", ("p", "d")),
        ("q", None, "p.d", ("q", "d")),
        (None, "e", "p.d", ("p", "e")),
        ("q", "e", "nonsense", ("q", "e")),
        ("q", None, "", ("q", "github")),
        (None, None, "example.com:p.d", ("example.com:p", "d")),
    ],
)
def test_the_dataset_comes_from_options_or_the_environment(
    project: str | None,
    dataset: str | None,
    environment: str,
    expected: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """BIGQUERY_DATASET is the default of both; an option goes before it."""
    monkeypatch.setenv("BIGQUERY_DATASET", environment)
    assert report_module.find_dataset(project, dataset) == expected


def test_progress_is_told_only_once_it_takes_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the first two seconds nothing is said; after them each step is a line on stderr."""
    clock = iter([0.0, 1.9, 2.1])
    monkeypatch.setattr(report_module.time, "monotonic", lambda: next(clock))
    say = report_module.progress()
    say("the weeks")
    say("the delay")
    assert capsys.readouterr() == ("", "   2 s  reading the delay ...\n")


def test_help_names_what_is_needed() -> None:
    """The help says what the command makes, and explains every option."""
    result = invoke("--help")
    assert result.exit_code == 0
    assert "BIGQUERY_EMULATOR_HOST" in result.output
    assert all(getattr(option, "help", None) for option in report_module.report.params)
