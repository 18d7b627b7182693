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
READ_TIME = timedelta(seconds=0.15)  # for the log lines that belong to what Pub/Sub has reported
LOG_TIME = timedelta(seconds=0.3)  # for the one that says why an attempt failed
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
    """What was printed of a delivery: after how many answers; by function, of which message, and how far."""

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
            if told is None or summary.times > told.times:
                if not _is_ripe(summary, now):
                    continue
                times = max(summary.times, int(summary.published))
                self._told[summary.delivery_id] = _Told(times, _progress(summary.functions))
                lines.append(_line(summary, summary.at, summary.functions))
            elif news := _news(summary, told, now):
                told.functions |= _progress(news)
                lines.append(_line(summary, now, news))
            if summary.is_settled and all(_is_read(each, now) for each in summary.functions.values()):
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
        return all(_is_read(each, now) for each in summary.functions.values())
    if not summary.published or summary.status is None:
        return summary.is_settled and (summary.times > 0 or age >= LOG_TIME)
    return all(
        each.text and ((each.is_final and _is_read(each, now)) or _has_failed(each, now))
        for each in summary.functions.values()
    )


def _has_failed(outcome: FunctionOutcome, now: datetime) -> bool:
    """Return whether the reason of a failure is known; what is only busy will soon be done."""
    return outcome.state == "retrying" and _is_read(outcome, now, LOG_TIME) and not outcome.is_busy


def _is_read(outcome: FunctionOutcome, now: datetime, within: timedelta = READ_TIME) -> bool:
    """Return whether all log lines so far are read."""
    return outcome.changed_at is None or now - outcome.changed_at >= within


def _news(summary: DeliverySummary, told: _Told, now: datetime) -> dict[str, FunctionOutcome]:
    """Return what is new: a function is done, has failed for the first time, or has done a replay."""
    news = {}
    for name, outcome in summary.functions.items():
        message, rank = told.functions[name]
        is_replay = message is not None and outcome.message_id != message and outcome.is_final
        is_new = (_rank(outcome) > rank or is_replay) and outcome.text not in {"", wording.NOTHING_TO_DO}
        if is_new and _is_read(outcome, now, READ_TIME if outcome.is_final else LOG_TIME):
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
    if not outcome.text:
        return f"{name} has handled it"
    if outcome.state in {"retrying", "dead"}:
        return f"{name}: {outcome.text}"
    text = f"{name}: {outcome.text}" if name == "triage" else outcome.text
    if outcome.attempts < 2:
        return text
    after = "" if outcome.seconds is None else f", after {outcome.seconds:.0f} s"
    return f"{text} (attempt {outcome.attempts}{after})"


def _waiting(name: str, failing: list[FunctionOutcome], now: datetime) -> str:
    count = f"{len(failing)} {'delivery waits' if len(failing) == 1 else 'deliveries wait'} for {name}"
    [(why, _)] = Counter(each.problem for each in failing).most_common(1)
    times = [each.retry_at for each in failing if each.retry_at is not None]
    seconds = max(round((min(times) - now).total_seconds()), 1) if times else None
    return f"{count}: {why}" + ("" if seconds is None else f"; next attempt in {seconds} s")


def _progress(functions: Mapping[str, FunctionOutcome]) -> dict[str, tuple[str | None, int]]:
    return {name: (each.message_id, _rank(each)) for name, each in functions.items()}


def _rank(outcome: FunctionOutcome) -> int:
    return 2 if outcome.is_final else 1 if outcome.state == "retrying" else 0
