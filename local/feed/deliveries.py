"""What became of each delivery, by what happened so far; pure."""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from types import MappingProxyType
from typing import Any

from local.feed import ingest_answer
from local.feed.function_outcome import FunctionOutcome, Steps
from local.feed.happening import Happening
from pipeline.delivery import format_time

KEPT = 2_000
MADE_UP = "no-id-"  # stands for the id of a request that has none


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySummary:
    """One delivery. `at` is when the feed first heard of it, or of its last redelivery.

    `number` is that of its newest happening. `status` and `answer` are those of ingest's HTTP answer, None if
    it has not answered, or if the message did not come through ingest (a replay). `published`: subscribers
    will get it. `times` counts the answers that ingest has logged: a redelivery is the second one.
    `message_id` is Pub/Sub's of the last one.
    """

    delivery_id: str
    number: int
    at: datetime
    event: str | None = None
    repository: str | None = None
    issue: int | None = None
    status: int | None = None
    answer: str | None = None
    published: bool = False
    times: int = 0
    message_id: str | None = None
    functions: Mapping[str, FunctionOutcome] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def is_settled(self) -> bool:
        """Return whether nothing more is to come."""
        if not self.published:  # GitHub may know the answer before ingest's line is read
            return self.status is not None and (self.times > 0 or self.status >= 300)
        return all(each.is_final for each in self.functions.values())

    def as_json(self) -> dict[str, Any]:
        """Return it for a page or a script; `functions` is empty if subscribers get nothing."""
        shown = self.functions if self.published else {}
        return {
            "delivery_id": self.delivery_id,
            "number": self.number,
            "at": format_time(self.at),
            "event": self.event,
            "repository": self.repository,
            "issue": self.issue,
            "status": self.status,
            "answer": self.answer,
            "times": self.times,
            "message_id": self.message_id,
            "settled": self.is_settled,
            "functions": {name: each.as_json() for name, each in shown.items()},
        }


class Deliveries:
    """The newest KEPT deliveries. `channels` are Slack's names by their ids.

    `reported`: Pub/Sub reports its pushes, and says when an attempt is over. Otherwise the logs have to do.
    """

    def __init__(self, subscribers: Collection[str], channels: Mapping[str, str], *, reported: bool) -> None:
        self._subscribers = tuple(subscribers)
        self._steps = Steps(channels=channels, reported=reported)
        self._by_id: OrderedDict[str, DeliverySummary] = OrderedDict()

    def get(self, delivery_id: str) -> DeliverySummary | None:
        """Return the delivery, None if it is not known (any more)."""
        return self._by_id.get(delivery_id)

    def latest(self, limit: int) -> list[DeliverySummary]:
        """Return those that came last, newest first."""
        return list(islice(reversed(self._by_id.values()), limit))

    def apply(self, happening: Happening) -> DeliverySummary | None:
        """Return the delivery that the happening changed, None if it changed none."""
        function = happening.fields.get("function") if happening.part == "pubsub" else happening.part
        delivery_id = happening.delivery_id
        if happening.part in {"ingest", "github"}:
            answer = ingest_answer.read(happening)
            if answer is None or (answer.is_second_hand and delivery_id is None):
                return None
            delivery_id = delivery_id or f"{MADE_UP}{happening.number}"
            after = self._answered(self._known(delivery_id, happening), answer, happening.at)
        elif function in self._subscribers and delivery_id is not None:
            after = self._handled(self._known(delivery_id, happening), function, happening)
        else:
            return None
        return self._keep(after, happening)

    def _known(self, delivery_id: str, happening: Happening) -> DeliverySummary:
        waiting = dict.fromkeys(self._subscribers, FunctionOutcome())
        return self._by_id.get(delivery_id) or DeliverySummary(
            delivery_id=delivery_id, number=happening.number, at=happening.at, functions=waiting
        )

    def _answered(
        self, before: DeliverySummary, answer: ingest_answer.Answer, at: datetime
    ) -> DeliverySummary:
        if answer.is_second_hand and before.status is not None:
            return before  # ingest's own line says more
        if before.status is not None:
            before = replace(before, at=at)
        functions = before.functions
        if answer.message_id is not None:  # those that have this message already are kept
            begun = {name: each.of_message(answer.message_id) for name, each in functions.items()}
            functions = {name: each or functions[name] for name, each in begun.items()}
        return replace(
            before,
            status=answer.status,
            answer=answer.text,
            published=before.published or answer.message_id is not None,
            times=before.times + (not answer.is_second_hand),
            message_id=answer.message_id or before.message_id,
            functions=functions,
        )

    def _handled(self, before: DeliverySummary, function: str, happening: Happening) -> DeliverySummary:
        after = self._steps.apply(function, before.functions[function], happening, before.at)
        return replace(before, published=True, functions={**before.functions, function: after})

    def _keep(self, summary: DeliverySummary, happening: Happening) -> DeliverySummary:
        named = {name: getattr(happening, name) for name in ("event", "repository", "issue")}
        known = {name: value for name, value in named.items() if value is not None}
        summary = replace(summary, number=happening.number, **known)
        is_again = summary.times > 1 and self._by_id[summary.delivery_id].times < summary.times
        self._by_id[summary.delivery_id] = summary
        if is_again:
            self._by_id.move_to_end(summary.delivery_id)
        while len(self._by_id) > KEPT:
            self._by_id.popitem(last=False)
        return summary
