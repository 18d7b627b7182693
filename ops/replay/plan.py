"""What will be published again, in words (pure)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from metrics.wording import count
from ops.replay.stored import Stored

NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The deliveries to publish, those that cannot be, and the one subscription that they are for, if any."""

    topic: str
    only: str | None
    stored: Sequence[Stored]
    without_payload: Sequence[Stored]

    @property
    def receivers(self) -> str:
        """Return who gets them."""
        return self.only or f"all subscribers of {self.topic}"

    def lines(self) -> Iterator[str]:
        """Yield what is shown before anything is published."""
        if self.stored:
            kinds = Counter(each.title for each in self.stored).most_common()
            first, last = (
                f"{each.received_at:%Y-%m-%d %H:%M:%S}" for each in (self.stored[0], self.stored[-1])
            )
            yield (
                f"{count(len(self.stored), 'delivery', 'deliveries')}, received from {first} to {last} UTC: "
                f"{', '.join(f'{title} {number:,}' for title, number in kinds)}."
            )
        if self.without_payload:
            names = [each.delivery_id for each in self.without_payload]
            have = count(len(names), "delivery has", "deliveries have")
            more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
            yield f"{have} no payload in BigQuery and cannot be replayed: {', '.join(names[:NAMED])}{more}."

    @property
    def question(self) -> str:
        """Return what is asked."""
        return f"Publish {count(len(self.stored), 'delivery', 'deliveries')} again, to {self.receivers}?"

    def outcome(self) -> str:
        """Return what was done."""
        if not self.stored:
            return "Nothing to replay: BigQuery has no such delivery with a payload."
        return f"{count(len(self.stored), 'delivery', 'deliveries')} published again, to {self.receivers}."
