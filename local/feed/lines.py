"""What the terminal says of a delivery: a line once it is handled, and one for what comes later; pure.

While many deliveries fail again and again, one line for all of them tells so from time to time.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.feed import wording
from local.feed.deliveries import DeliverySummary
from local.feed.function_outcome import FunctionOutcome
from local.feed.happening import Level

PATIENCE = timedelta(seconds=2)  # then the line is printed with what is known
LOG_TIME = timedelta(seconds=0.3)  # for the log line that says why an attempt failed
BETWEEN_NOTES = timedelta(seconds=10)
KEPT = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is printed of one delivery; `event`, `issue` and `status` are empty where they are not known."""

    at: datetime
    event: str = ""
    issue: str = ""
    status: str = ""
    text: str
    level: Level = "info"


@dataclass(slots=True)
class _Told:
    """What was printed of a delivery: by function, of which message, and how far it was."""

    times: int
    functions: dict[str, tuple[str | None, int]]


class DeliveryLines:
    """Remembers what was printed of the newest KEPT deliveries, and which of them are not settled."""

    def __init__(self) -> None:
        self._open: dict[str, DeliverySummary] = {}
        self._told: OrderedDict[str, _Told] = OrderedDict()
        self._noted: datetime | None = None

    def update(self, changed: Iterable[DeliverySummary], now: datetime) -> list[Line]:
        """Return what is to be printed after these changes, or after a moment without any."""
        self._open |= {summary.delivery_id: summary for summary in changed}
        lines = []
        for summary in list(self._open.values()):
            told = self._told.get(summary.delivery_id)
            if told is None or summary.times > max(told.times, 1):
                if not _is_ripe(summary, now):
                    continue
                self._told[summary.delivery_id] = _Told(summary.times, _progress(summary))
                lines.append(_line(summary, summary.at, summary.functions))
            elif news := _news(summary, told):
                told.functions |= _progress(summary)
                lines.append(_line(summary, now, news))
            if summary.is_settled:
                del self._open[summary.delivery_id]
        while len(self._told) > KEPT:
            self._open.pop(self._told.popitem(last=False)[0], None)
        return [*lines, *self._note(now)]

    def _note(self, now: datetime) -> list[Line]:
        """Return one line about all that is tried again and again."""
        failing = [
            (name, outcome)
            for summary in self._open.values()
            for name, outcome in summary.functions.items()
            if outcome.state == "retrying" and outcome.attempts > 1 and summary.delivery_id in self._told
        ]
        if not failing:
            self._noted = None
            return []
        if self._noted is None:
            self._noted = now
        if now - self._noted < BETWEEN_NOTES:
            return []
        self._noted = now
        return [
            Line(
                at=now,
                text=_waiting(name, [each for of, each in failing if of == name], now),
                level="warning",
            )
            for name in dict.fromkeys(name for name, _ in failing)
        ]


def _is_ripe(summary: DeliverySummary, now: datetime) -> bool:
    """Return whether the line is due: all is known, or one function fails and nothing better is near."""
    age = now - summary.at
    if age >= PATIENCE:
        return True
    if not summary.published or summary.status is None:
        return summary.is_settled and (summary.times > 0 or age >= LOG_TIME)
    return all(each.text and (each.is_final or _has_failed(each, now)) for each in summary.functions.values())


def _has_failed(outcome: FunctionOutcome, now: datetime) -> bool:
    """Return whether the reason of a failure is known; what is only busy will soon be done."""
    is_read = outcome.changed_at is not None and now - outcome.changed_at >= LOG_TIME
    return outcome.state == "retrying" and is_read and not outcome.is_busy


def _news(summary: DeliverySummary, told: _Told) -> dict[str, FunctionOutcome]:
    """Return what is new: a function is done, has failed for the first time, or has done a replay."""
    news = {}
    for name, outcome in summary.functions.items():
        message, rank = told.functions[name]
        is_replay = message is not None and outcome.message_id != message and outcome.is_final
        if outcome.text and (_rank(outcome) > rank or is_replay):
            news[name] = outcome
    return news


def _line(summary: DeliverySummary, at: datetime, outcomes: Mapping[str, FunctionOutcome]) -> Line:
    number = f"#{summary.issue}" if summary.issue is not None else ""
    text = summary.answer or "no answer"
    if summary.published:
        texts = [_text(name, each) for name, each in outcomes.items() if each.text != wording.NOTHING_TO_DO]
        text = "; ".join(texts)
    return Line(
        at=at,
        event=summary.event or "",
        issue=f"{summary.repository or ''}{number}",
        status="" if summary.status is None else str(summary.status),
        text=text,
        level=_level(summary, outcomes),
    )


def _level(summary: DeliverySummary, outcomes: Mapping[str, FunctionOutcome]) -> Level:
    states = {each.state for each in outcomes.values()} if summary.published else set()
    if (summary.status is not None and summary.status >= 400) or "dead" in states:
        return "error"
    return "warning" if "retrying" in states else "info"


def _text(name: str, outcome: FunctionOutcome) -> str:
    if outcome.state == "waiting":
        return f"{name} has not answered yet"
    if outcome.state in {"retrying", "dead"} or name == "triage":
        return f"{name}: {outcome.text}"
    text = outcome.text or f"{name} has handled it"
    if outcome.attempts < 2:
        return text
    after = "" if outcome.seconds is None else f", after {outcome.seconds:.0f} s"
    return f"{text} (attempt {outcome.attempts}{after})"


def _waiting(name: str, failing: list[FunctionOutcome], now: datetime) -> str:
    count = f"{len(failing)} {'delivery waits' if len(failing) == 1 else 'deliveries wait'} for {name}"
    [(why, _)] = Counter(each.problem for each in failing).most_common(1)
    times = [each.retry_at for each in failing if each.retry_at is not None]
    seconds = max(round((min(times) - now).total_seconds()), 0) if times else None
    return f"{count}: {why}" + ("" if seconds is None else f"; next attempt in {seconds} s")


def _progress(summary: DeliverySummary) -> dict[str, tuple[str | None, int]]:
    return {name: (each.message_id, _rank(each)) for name, each in summary.functions.items()}


def _rank(outcome: FunctionOutcome) -> int:
    return 2 if outcome.is_final else 1 if outcome.state == "retrying" else 0
