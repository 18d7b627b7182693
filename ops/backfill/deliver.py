"""Sends a history, issue by issue, to the topic or to the table; the checkpoint remembers how far."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from clients.github.synthetic_deliveries import deliveries
from ops.backfill.checkpoint import Delivered
from ops.backfill.store import BackfillStore
from ops.progress import Step
from pipeline.delivery import Delivery


class Receiver(Protocol):
    """Takes deliveries in batches: when `flush` returns, all of them are confirmed."""

    def add(self, delivery: Delivery) -> None:
        """Take one delivery."""

    def flush(self) -> None:
        """Send what was added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where deliveries go: `name` in the checkpoint, `takes` those that belong there, `batch` at once."""

    name: str
    stage: str
    receiver: Receiver
    takes: Callable[[Delivery], bool]
    batch: int


def count(store: BackfillStore, until: datetime | None, counts: Counter[str]) -> Iterator[Step]:
    """Count the deliveries by event.action."""
    checkpoint = store.checkpoint
    assert checkpoint is not None
    issues = store.issues() or 1
    for done, (_, history) in enumerate(store.histories(0), 1):
        for delivery in deliveries(checkpoint.repository, history, checkpoint.began_at, until):
            counts[_kind(delivery)] += 1
        yield Step(stage="Counting", done=done / issues, text=f"{counts.total():,} deliveries")


def deliver(
    store: BackfillStore, until: datetime | None, destination: Destination, counts: Counter[str]
) -> Iterator[Step]:
    """Send what the destination takes and has not confirmed yet, and count all that it takes.

    The checkpoint moves once a batch is confirmed. Raises what the receiver raises.
    """
    checkpoint = store.checkpoint
    assert checkpoint is not None
    known = checkpoint.delivered.get(destination.name)
    number = 0
    if known is not None and known.until == until:
        number = known.number
        counts.update(known.counts)
    confirmed = counts.total()
    issues = store.issues() or 1
    done = store.issues(up_to=number)
    for number, history in store.histories(number):  # noqa: B020 - starts after the last confirmed issue
        for delivery in deliveries(checkpoint.repository, history, checkpoint.began_at, until):
            if destination.takes(delivery):
                destination.receiver.add(delivery)
                counts[_kind(delivery)] += 1
        done += 1
        if counts.total() - confirmed >= destination.batch or done == issues:
            destination.receiver.flush()
            confirmed = counts.total()
            here = {destination.name: Delivered(until=until, number=number, counts=dict(counts))}
            checkpoint = replace(checkpoint, delivered={**checkpoint.delivered, **here})
            store.save(checkpoint)
            yield Step(stage=destination.stage, done=done / issues, text=f"{confirmed:,} deliveries")


def _kind(delivery: Delivery) -> str:
    return f"{delivery.event}.{delivery.action}"
