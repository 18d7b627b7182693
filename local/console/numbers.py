"""The headline numbers and two small charts: three of the report's queries, counted as the report counts."""

from datetime import UTC, date, datetime, time
from typing import Any

from google.cloud import bigquery

from clients.bigquery import QueryRunner
from local.console.charts import backlog, opened_and_closed
from local.console.interruption import in_background
from metrics import queries, wording
from metrics.times import TIMES, Times
from metrics.waiting import WAITING, ranked
from metrics.weeks import join_weeks, monday, recent_from
from pipeline.targets import State
from pipeline.team import Team

type Json = dict[str, Any]


def numbers(client: bigquery.Client, dataset: str, team: Team, now: datetime) -> Json:
    """Return what the page shows, empty before the first event. Raises what the client raises."""
    run = QueryRunner(client, dataset, _silent)
    beginning = datetime.combine(date(1, 1, 1), time(), tzinfo=UTC)
    recent = datetime.combine(recent_from(now), time(), tzinfo=UTC)
    scope: Json = {"repository": None}
    waiting_rows = in_background(lambda: run(WAITING, scope))
    times_rows = in_background(lambda: run(TIMES, scope | {"since": beginning, "recent": recent}))
    weeks, _ = join_weeks(run(queries.WEEKS, scope), None, monday(now))
    if not weeks:
        return {"headline": [], "charts": []}
    waiting = ranked(waiting_rows.result(), team.targets, team.hours, now)
    times = Times(times_rows.result())
    late = [each.standing.state for each in waiting].count(State.OVERDUE)
    responses, close, week = times.get("response", "all"), times.get("close", "all"), weeks[-1]
    headline = [
        (
            "Waiting on us",
            f"{len(waiting):,}",
            f"{late:,} past the target" if team.targets else "no target is set",
        ),
        ("Open issues", f"{week.backlog:,}", f"this week {week.opened:,} opened, {week.closed:,} closed"),
        ("First response", wording.p50(responses), f"p50, {wording.cases(responses.n)}"),
        (
            "Answered within 24 h",
            wording.share(responses.within_24h, responses.n),
            f"{responses.within_24h:,} of {responses.n:,} answered",
        ),
        ("Time to close", wording.p50(close), f"p50, {wording.cases(close.n)}"),
    ]
    return {
        "headline": [{"label": label, "value": value, "note": note} for label, value, note in headline],
        "charts": [backlog(weeks), opened_and_closed(weeks)],
    }


def _silent(_subject: str) -> None:
    """Show no progress."""
