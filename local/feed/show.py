"""Prints what became of each delivery in the terminal of `make serve`, as it happens."""

from datetime import UTC, datetime

from local.feed.feed import Feed
from local.feed.lines import DeliveryLines, Line
from local.terminal import Terminal

SECONDS = 0.1  # between two looks at what waits


class Show:
    """Prints the deliveries, what the feed says of itself, and what was switched on the playground's page."""

    def __init__(self, feed: Feed, terminal: Terminal) -> None:
        self._feed = feed
        self._terminal = terminal
        self._lines = DeliveryLines()
        self._number = 0

    def next(self) -> None:
        """Print what is new; returns soon, also if nothing is."""
        happenings = self._feed.wait(self._number, SECONDS)
        for happening in happenings:
            self._number = happening.number
            if happening.kind in {"note", "switch"}:
                self._terminal.delivered(Line(at=happening.at, text=happening.text, level=happening.level))
        ids = dict.fromkeys(happening.delivery_id for happening in happenings)
        changed = [found for each in ids if each is not None and (found := self._feed.delivery(each))]
        for line in self._lines.update(changed, datetime.now(UTC)):
            self._terminal.delivered(line)
