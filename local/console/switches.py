"""What can be made to fail, and well again: the faults of the drill, by a person's hand."""

from local.stack.stack import Stack


class Switches:
    """The switches of one stack. Safe for many threads."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._on: dict[str, str] = {}

    def on(self) -> dict[str, str]:
        """Return how each part is made to fail, by the parts that are."""
        return dict(self._on)

    def as_json(self) -> list[dict[str, object]]:
        """Return every switch."""
        return []
