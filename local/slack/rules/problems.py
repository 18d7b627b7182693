"""What is wrong with a call, and the refusal that reports it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

type Arguments = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong: Slack's error slug and, unless the slug says it all, a sentence and a JSON pointer."""

    error: str
    message: str = ""
    pointer: str = ""

    def __str__(self) -> str:
        """Return it as Slack writes it in response_metadata.messages, without the leading [ERROR]."""
        return f"{self.message} [json-pointer:{self.pointer}]" if self.pointer else self.message or self.error


class RefusedError(Exception):
    """The answer is the first problem's error with the details; the other problems explain it."""

    def __init__(self, *problems: Problem, details: Mapping[str, str] | None = None) -> None:
        super().__init__("; ".join(f"{problem.error}: {problem}" for problem in problems))
        self.problems = problems
        self.details = details or {}


def problems(error: str, found: Iterable[tuple[str, str]]) -> list[Problem]:
    """Make a problem of each sentence and its JSON pointer."""
    return [Problem(error=error, message=message, pointer=pointer) for message, pointer in found]
