"""What demo and serve print: plain lines, and on a real terminal colour and a moving line."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from local import layout
from local.feed.lines import Line

PLAIN_WIDTH = 130
_STYLES = {"info": "", "warning": "yellow", "error": "red"}


class Terminal:
    """Prints the parts of demo and serve: no wider than a real terminal, and elsewhere always the same."""

    def __init__(self, *, to_stderr: bool = False) -> None:
        self._real = (sys.stderr if to_stderr else sys.stdout).isatty()
        self.console = Console(
            stderr=to_stderr,
            highlight=False,
            force_terminal=self._real,
            width=None if self._real else PLAIN_WIDTH,
        )
        self._waiting = self.console.status("")

    @property
    def width(self) -> int:
        """Return the columns that there are now."""
        return self.console.width

    def title(self, text: str) -> None:
        """Start a section."""
        self.line("")
        self.line(text, "bold")

    def line(self, text: str, style: str = "") -> None:
        """Print a text. A real terminal breaks it between words; elsewhere its lines stay as they are."""
        self._print(layout.wrap(text, self.width) if self._real else [text], style)

    def command(self, text: str) -> None:
        """Print a command to copy: a break of ours would become a part of it."""
        self._print([f"    {text}"])

    def entry(self, name: str, value: str) -> None:
        """Print a name and a value to copy: beside it, or below it if it is too wide."""
        line = f"  {name:<17}{value}"
        self._print([line] if layout.cell_len(line) <= self.width else [f"  {name}", f"    {value}"])

    def part(self, name: str, what: str, seconds: float | None) -> None:
        """Show that the stack waits for a part, or that the part is ready."""
        if seconds is None:
            self._waiting.update(f"waiting for {name} ({what}) ...")
            self._waiting.start()
            return
        self._waiting.stop()
        ready = f"ready after {seconds:4.1f} s"
        self._print(layout.columns([(name, 16), (what, 21)], ready, self.width))

    def stop_waiting(self) -> None:
        """End the moving line after a failure."""
        self._waiting.stop()

    def stopped(self, text: str) -> None:
        """Print the last line of a program that a signal has ended."""
        self.stop_waiting()
        self.line(text)

    def error(self, text: str) -> str:
        """Return an error that a real terminal shows after "Error: "; the lines of a log stay as they are."""
        if not sys.stderr.isatty():
            return text
        shown = f"Error: {text}".split("\n")
        wrapped = ([line] if line.startswith("    ") else layout.wrap(line, self.width) for line in shown)
        return "\n".join(part for lines in wrapped for part in lines).removeprefix("Error: ")

    def delivery(self, event: str, note: str, status: int) -> None:
        """Print one delivery and its answer."""
        style = "" if status < 300 else "yellow"
        self._print(layout.columns([(str(status), 5), (event, 23)], note, self.width), style)

    def delivered(self, line: Line) -> None:
        """Print what became of a delivery. A narrow terminal breaks it between words, below its event."""
        time = f"{line.at.astimezone():%H:%M:%S}"
        about = f"{line.event:<14}  {line.issue:<11}  {line.status:<3}  " if line.issue or line.status else ""
        head = f"{time}  {about}"
        lines = layout.beside(head, line.text, self.width, hang=10) if self._real else [head + line.text]
        self._print(lines, _STYLES[line.level])

    def table(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Print rows under their columns' names."""
        self._print(layout.table(rows, self.width))

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
            yield lambda text: status.update(f"waiting: {text}")

    def _print(self, lines: Sequence[str], style: str = "") -> None:
        for line in lines:
            self.console.print(Text(line, style=style), soft_wrap=True)
