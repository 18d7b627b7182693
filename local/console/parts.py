"""The parts of the flow as the page's first row shows them: state, count, backlog and delay of each."""

import threading
import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any, Final

from local.console.flow import Flow
from local.feed.feed import Feed
from local.github.github_app import HOOK_ID
from local.stack.stack import Stack
from local.stack.topics import HOLD

MEASURED: Final = 50  # deliveries in a delay
KEPT_SECONDS: Final = 0.2  # a row is made once for all browsers

type Json = dict[str, Any]

_STATES = {"kill": "down", "stops": "paused"}  # of a switch that is on; any other is broken


class Parts:
    """Safe for many threads. `switches` returns, by part, how it is made to fail."""

    def __init__(
        self,
        stack: Stack,
        feed: Feed,
        flow: Flow,
        switches: Callable[[], Mapping[str, str]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stack = stack
        self._feed = feed
        self._flow = flow
        self._switches = switches
        self._clock = clock
        self._lock = threading.Lock()
        self._made: tuple[float, list[Json]] | None = None

    def row(self) -> list[Json]:
        """Return the parts in the order of the flow; made again only after a moment."""
        with self._lock:
            if self._made is None or self._clock() - self._made[0] > KEPT_SECONDS:
                self._made = self._clock(), self._row()
            return self._made[1]

    def _row(self) -> list[Json]:
        stack, counts, broken = self._stack, self._flow.counts, self._switches()
        backlogs = stack.pubsub_server.backlogs() if stack.pubsub_server else {}
        delays = self._delays()

        def part(name: str, label: str, **fields: Any) -> Json:
            child = stack.children.get(name)
            state = _STATES.get(broken[name], "broken") if name in broken else "up"
            if child is not None and child.why_ended():
                state = "down"
            shown: Json = {"name": name, "label": label, "state": state, "count": counts[name]}
            return shown | {"backlog": None, "delay_ms": delays.get(name), "note": ""} | fields

        sent = self._stack.github.github.hooks.deliveries[HOOK_ID]
        answered = [delivery["duration"] for delivery in sent[:MEASURED] if delivery["status_code"] < 300]
        ingest = round(1000 * median(answered)) if answered else None
        rows = [
            part("github", "GitHub", count=max(len(sent), counts["ingest"])),
            part("ingest", "ingest", delay_ms=ingest),
        ]
        held = backlogs.pop(HOLD, None) if backlogs else None
        waiting = ", ".join(f"{name} {count}" for name, count in backlogs.items())
        notes = [waiting, f"{held} held as dead letters" if held else ""]
        rows.append(
            part(
                "pubsub",
                "Pub/Sub",
                backlog=sum(backlogs.values()) if backlogs else None,
                backlogs=backlogs,
                held=held,
                note="; ".join(filter(None, notes)),
            )
        )
        rows += [
            part(name, name, backlog=backlogs.get(of))
            for name, of in stack.functions.items()
            if of is not None
        ]
        rows += [part("reconcile", "reconcile")] if "reconcile" in stack.functions else []
        rows.append(part("slack", "Slack", count=counts["slack"]))
        rows.append(part("bigquery", "BigQuery", count=counts["stream_bq"]))
        return rows

    def _delays(self) -> dict[str, int]:
        """Return the median of the last deliveries by function, from ingest's answer to the end."""
        found: dict[str, list[float]] = {}
        for summary in self._feed.deliveries(4 * MEASURED):
            for name, outcome in summary.functions.items():
                times = found.setdefault(name, [])
                if outcome.seconds is not None and len(times) < MEASURED:
                    times.append(outcome.seconds)
        return {name: round(1000 * median(times)) for name, times in found.items() if times}
