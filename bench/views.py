"""The time that each view takes on the local BigQuery, over one table and over one ten times as large."""

import json
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import click
from google.cloud import bigquery

from bench.figures import Verdict
from clients.bigquery import connect
from functions.stream_bq.row import to_row
from local.bigquery.server import bigquery_server
from local.processes import accepts, free_port
from local.seed.year import team
from ops import schema
from ops.send import accounts, payloads
from pipeline.delivery import Delivery, format_time
from pipeline.events import IssueEvent

PROJECT, DATASET = "local-dev", "github"
EVENTS, GROWTH = 10_000, 10
MOST_SECONDS, MOST_GROWTH = 10.0, GROWTH * 1.3
REPOSITORIES = 10
SECONDS = 120.0
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
ISSUE_EVENTS = {  # hours after an issue's opening: event, action and state
    0: ("issues", "opened", "open"),
    5: ("issues", "labeled", "open"),
    26: ("issue_comment", "created", "open"),
    50: ("issue_comment", "created", "open"),
    90: ("issues", "closed", "closed"),
    91: ("issue_comment", "created", "closed"),
    900: ("issues", "reopened", "open"),
    970: ("issues", "closed", "closed"),
}

ISSUE_COMMENTS = [hours for hours, (event, _, _) in ISSUE_EVENTS.items() if event == "issue_comment"]

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The seconds that a view takes over EVENTS events, and over GROWTH times as many."""

    name: str
    small: list[float]
    large: list[float]
    rows: int

    @property
    def seconds(self) -> float:
        """Return the seconds over the larger table."""
        return statistics.median(self.large)

    @property
    def growth(self) -> float:
        """Return how many times the seconds over the smaller table that is."""
        return self.seconds / statistics.median(self.small)

    @property
    def verdict(self) -> Verdict:
        """Judge the view."""
        return Verdict.KEPT if self.seconds <= MOST_SECONDS and self.growth <= MOST_GROWTH else Verdict.MISSED

    def row(self) -> str:
        """Return the view as a row of the table."""
        growth = f"{self.growth:.1f} | <= {MOST_GROWTH:.0f}"
        seconds = f"{self.seconds:.2f} s | <= {MOST_SECONDS:.0f} s"
        small = statistics.median(self.small)
        return f"| {self.name} | {seconds} | {growth} | {small:.2f} s | {self.rows} | {self.verdict} |"


def table(views: list[View]) -> str:
    """Return the views as a table."""
    large, small = f"{EVENTS * GROWTH:,} events", f"{EVENTS:,} events"
    head = f"| view | {large} | goal | ratio | goal | {small} | rows of {large} | verdict |"
    return "\n".join([head, "|---|---|---|---|---|---|---|---|", *(view.row() for view in views)])


def measure(folder: Path, rounds: int) -> list[View]:
    """Start BigQuery and read every view `rounds` times, before and after the table grows."""
    port = free_port()
    child = bigquery_server(folder, port, PROJECT)
    client = connect(PROJECT, emulator=f"http://127.0.0.1:{port}")
    names = [path.stem for path in schema.files() if path.parent.name == "views"]
    try:
        child.start()
        child.wait_until(lambda: accepts(port))
        list(schema.apply(client, DATASET, None, team()))
        load = client.load_table_from_json(
            list(islice(_rows(), EVENTS)), f"{PROJECT}.{DATASET}.events", timeout=SECONDS
        )
        load.result(timeout=SECONDS)
        small = _rounds(client, names * rounds, f"views over {EVENTS} events")
        _query(client, GROW)
        large = _rounds(client, names * rounds, f"views over {EVENTS * GROWTH} events")
    finally:
        child.stop()
    return [
        View(
            name=name,
            small=[seconds for seconds, _ in small[name]],
            large=[seconds for seconds, _ in large[name]],
            rows=large[name][0][1],
        )
        for name in names
    ]


# Copies of all issues, under other numbers.
GROW = f"""
INSERT INTO `{DATASET}.events`
SELECT events.* REPLACE (
  CONCAT(delivery_id, '/', CAST(copy AS STRING)) AS delivery_id,
  issue_number + copy * {EVENTS} AS issue_number)
FROM `{DATASET}.events` AS events, UNNEST(GENERATE_ARRAY(1, {GROWTH - 1})) AS copy
"""


def _rounds(client: bigquery.Client, names: list[str], label: str) -> dict[str, list[tuple[float, int]]]:
    results: dict[str, list[tuple[float, int]]] = {name: [] for name in dict.fromkeys(names)}
    with click.progressbar(names, label=label, file=sys.stderr) as rounds:
        for name in rounds:
            start = time.perf_counter()
            rows = _query(client, f"SELECT * FROM `{DATASET}.{name}`")
            results[name].append((time.perf_counter() - start, rows))
    return results


def _query(client: bigquery.Client, sql: str) -> int:
    """Compute the whole result, fetch its first row, and return the number of rows."""
    result = client.query(sql, timeout=SECONDS).result(max_results=1, timeout=SECONDS)
    list(result)
    return result.total_rows or 0


def _rows() -> Iterator[Row]:
    """Yield rows as stream_bq stores them: issues of some two years, in REPOSITORIES repositories."""
    templates = [_template(repository) for repository in range(REPOSITORIES)]
    for number in range(EVENTS):
        created_at = BEGIN + number * timedelta(hours=14)
        for hours, (event, action, state) in ISSUE_EVENTS.items():
            if hours == max(ISSUE_EVENTS) and number % 5 == 0:
                continue  # this issue stays open
            at = format_time(created_at + timedelta(hours=hours))
            yield templates[number % REPOSITORIES] | {
                "delivery_id": f"{number}-{hours}",
                "event": event,
                "action": action,
                "event_at": at,
                "received_at": at,
                "inserted_at": at,
                "issue_number": number,
                "issue_state": state,
                "issue_created_at": format_time(created_at),
                "issue_updated_at": at,
                "issue_closed_at": at if action == "closed" else None,
                "comment_author": _commenter(number, hours) if event == "issue_comment" else None,
                "comment_author_type": "User" if event == "issue_comment" else None,
                "comment_created_at": at if event == "issue_comment" else None,
            }


def _commenter(number: int, hours: int) -> str:
    """Return mona, who is of the team, or the author of an issue that then waits for the team's answer."""
    return "octavia" if hours == max(ISSUE_COMMENTS) and number % 3 == 0 else "mona"


def _template(repository: int) -> Row:
    """Return the row of an issue's opening."""
    issue = payloads.Issue(
        repository=accounts.Repository(full_name=f"acme/app{repository}"),
        number=1,
        title="Export fails when the table is empty",
        author=accounts.Account(login="octavia"),
        created_at=BEGIN,
        labels=["bug", "export"],
    )
    payload = issue.opened().payload
    delivery = Delivery(delivery_id="d", event="issues", body=json.dumps(payload).encode(), received_at=BEGIN)
    event = IssueEvent.from_delivery(delivery)
    return to_row(event, BEGIN, store_payload=False).columns
