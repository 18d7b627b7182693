"""The bytes that BigQuery reads for each view, as in docs/reference.md: python -m bench.cost prints them.

BigQuery charges for the columns that a query reads, over all rows of the table: a null has no byte, a text
two and its own, a number or time eight, a truth value one (cloud.google.com/bigquery/pricing#data-types). The
columns of a view are those that its SQL, or that of a view behind it, names; a name that means something
else makes the figure too large, never too small. The sizes are means over a made-up year, and the payload's
is that of the deliveries in docs/operations.md.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import click

from local.seed.year import Sent, year
from metrics import queries, times, waiting
from metrics.query import Query
from ops import schema

REPORT = [
    found
    for module in (queries, times, waiting)
    for found in vars(module).values()
    if isinstance(found, Query)
]
MOMENT = datetime(2026, 1, 5, tzinfo=UTC)
PAYLOAD_BYTES = 12_000
EVENTS = (1_000_000, 10_000_000)
USD_PER_TIB = 6.25  # on demand, in the US; the first TiB of a month is free
_TIMES = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


def logical_bytes(value: Any) -> int:
    """Return the bytes of a column's value as stream_bq sends it."""
    if value is None:
        return 0
    if isinstance(value, list):
        return sum(logical_bytes(item) for item in value)
    if isinstance(value, bool):
        return 1
    if isinstance(value, int) or _TIMES.fullmatch(value):
        return 8
    return 2 + len(value.encode())


def column_bytes(deliveries: Sequence[Sent]) -> dict[str, float]:
    """Return the mean bytes of each column of `events` but the payload."""
    rows = [sent.row() for sent in deliveries]
    names = rows[0].keys() - {"payload"}
    return {name: sum(logical_bytes(row[name]) for row in rows) / len(rows) for name in names}


def columns_of(sources: Mapping[str, str], name: str, columns: Collection[str]) -> frozenset[str]:
    """Return those columns of `events` that a view or query reads, through the views behind it too."""
    text = re.sub(r"--[^\n]*", "", sources[name])
    words = set(re.findall(r"\w+", text))
    behind = sources.keys() & set(re.findall(r"\$\{DATASET\}\.(\w+)", text)) - {name}
    found = frozenset(words & set(columns))
    return found.union(*(columns_of(sources, view, columns) for view in behind))


def table() -> str:
    """Return the table of docs/reference.md."""
    sizes = column_bytes(list(islice(year(MOMENT), 0, None, 10)))
    views = {path.stem: path.read_text() for path in sorted(schema.SQL.glob("views/*.sql"))}
    found: dict[int, list[str]] = {}
    for view in views:
        if view not in {"issue_events", "delivery_proof"}:  # the latter reads a small table of its own
            size = round(sum(sizes[column] for column in columns_of(views, view, sizes)))
            found.setdefault(size, []).append(f"`{view}`")
    lines = [_line(", ".join(names), size) for size, names in sorted(found.items())]
    lines.append(_line("`issue_events`, all columns but `payload`", sum(sizes.values())))
    lines.append(_line("`issue_events`, `payload` alone", PAYLOAD_BYTES))
    report = sum(
        sum(sizes[column] for column in columns_of(views | {query.subject: query.sql}, query.subject, sizes))
        for query in REPORT
    )
    lines.append(_line(f"`./issuewire report`, which asks {len(REPORT)} questions", report))
    head = ["| question | bytes a row | 1 million events | 10 million events |", "|---|---|---|---|"]
    return "\n".join([*head, *lines])


def _line(name: str, size: float) -> str:
    costs = (f"{size * n / 1e9:.2f} GB, {size * n / 2**40 * USD_PER_TIB:.4f} USD" for n in EVENTS)
    return f"| {name} | {size:.0f} | {' | '.join(costs)} |"


if __name__ == "__main__":
    click.echo(table())
