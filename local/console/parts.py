"""The parts of the flow as the page's first row shows them: state, count, backlog and delay of each."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
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
        stack = self._stack
        backlogs = stack.pubsub_server.backlogs() if stack.pubsub_server else {}
        held = backlogs.pop(HOLD, None)
        subscribers = {name: of for name, of in stack.functions.items() if of is not None}
        delays, retrying = self._outcomes()
        sent = stack.github.github.hooks.deliveries[HOOK_ID]
        waiting = ", ".join(f"{name} {count}" for name, count in backlogs.items())
        notes = (waiting, f"{held} held as dead letters" if held else "")
        return [
            self._part("github", "GitHub", count=max(len(sent), self._flow.counts["ingest"])),
            self._part("ingest", "ingest", delay_ms=_answer_time(sent)),
            self._part(
                "pubsub",
                "Pub/Sub",
                backlog=sum(backlogs.values()) if backlogs else None,
                backlogs=backlogs,
                held=held,
                note="; ".join(filter(None, notes)),
            ),
            *(
                self._part(
                    name,
                    name,
                    backlog=backlogs.get(of),
                    delay_ms=delays.get(name),
                    note=f"{retrying[name]} tried again" if retrying[name] else "",
                )
                for name, of in subscribers.items()
            ),
            *([self._part("reconcile", "reconcile")] if "reconcile" in stack.functions else []),
            self._part(
                "slack",
                "Slack",
                note="your own; what is posted is not shown here" if stack.slack_is_real else "",
            ),
            self._part("bigquery", "BigQuery", count=self._flow.counts["stream_bq"]),
        ]

    def _part(self, name: str, label: str, **fields: Any) -> Json:
        child, broken = self._stack.children.get(name), self._switches()
        state = _STATES.get(broken[name], "broken") if name in broken else "up"
        if child is not None and child.why_ended():
            state = "down"
        shown: Json = {"name": name, "label": label, "state": state, "count": self._flow.counts[name]}
        return shown | {"backlog": None, "delay_ms": None, "note": ""} | fields

    def _outcomes(self) -> tuple[dict[str, int], Counter[str]]:
        """Return by function the median time of the last deliveries, and how many are tried again now."""
        found: dict[str, list[float]] = {}
        retrying: Counter[str] = Counter()
        for summary in self._feed.deliveries(4 * MEASURED):
            for name, outcome in summary.functions.items():
                times = found.setdefault(name, [])
                if outcome.seconds is not None and len(times) < MEASURED:
                    times.append(outcome.seconds)
                retrying[name] += outcome.state == "retrying"
        return {name: round(1000 * median(times)) for name, times in found.items() if times}, retrying


def _answer_time(sent: Sequence[Json]) -> int | None:
    """Return how long ingest took for the last deliveries that it has accepted, in the median."""
    times = [delivery["duration"] for delivery in sent[:MEASURED] if delivery["status_code"] < 300]
    return round(1000 * median(times)) if times else None
