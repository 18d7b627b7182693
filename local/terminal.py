"""What demo and serve print: plain lines, and on a real terminal colour and a moving line."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

PLAIN_WIDTH = 130


class Terminal:
    """Prints the parts of demo and serve."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
        self._waiting = self.console.status("")

    def title(self, text: str) -> None:
        """Start a section."""
        self.console.print()
        self.console.print(Text(text, style="bold"))

    def line(self, text: str, style: str = "") -> None:
        """Print one line unchanged."""
        self.console.print(Text(text, style=style), soft_wrap=True)

    def part(self, name: str, what: str, seconds: float | None) -> None:
        """Show that the stack waits for a part, or that the part is ready."""
        if seconds is None:
            self._waiting.update(f"waiting for {name} ({what}) ...")
            self._waiting.start()
            return
        self._waiting.stop()
        self.line(f"  {name:<16}{what:<30}ready after {seconds:4.1f} s")

    def stop_waiting(self) -> None:
        """End the moving line after a failure."""
        self._waiting.stop()

    def delivery(self, event: str, note: str, status: int) -> None:
        """Print one delivery and its answer."""
        line = Text(f"  {event:<24}{note:<52}")
        line.append(str(status), style="green" if status < 300 else "yellow")
        self.console.print(line, soft_wrap=True)

    def table(self, rows: Sequence[dict[str, Any]]) -> None:
        """Print rows under their columns' names."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for name in rows[0] if rows else ["(no rows)"]:
            numeric = all(isinstance(row[name], int | float | None) for row in rows)
            table.add_column(name, justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text("-" if value is None else str(value)) for value in row.values()))
        self.console.print(table)

    def ledger(self, name: str, found: int, expected: int) -> None:
        """Print one line of the ledger."""
        entry = f"  {name:<40}{found:>4}"
        if found == expected:
            self.line(entry)
        else:
            self.line(f"{entry}   expected {expected}", "bold red")

    @contextlib.contextmanager
    def waiting(self) -> Iterator[Callable[[str], None]]:
        """Show a moving line; the yielded function sets its text."""
        with self.console.status("waiting for the subscribers ...") as status:
            yield lambda text: status.update(f"waiting for the subscribers: {text}")
