"""What became of an intended action, and how the log says it (pure)."""

from dataclasses import dataclass
from typing import Literal

from .rules import Action

type Result = Literal["done", "present", "removed", "changed", "not_applied", "refused", "limit", "would"]

SENTENCES: dict[Result, str] = {
    "done": "Done",
    "present": "Not needed: the issue has it already",
    "removed": "Not done: a person took it back",
    "changed": "Not closed: the issue is not as the rule saw it",
    "not_applied": "GitHub accepted the request and did not carry it out",
    "refused": "GitHub refuses it",
    "limit": "Not done: this issue had its actions for a day",
    "would": "Would be done, but for the dry run",
}
WARNINGS = frozenset[Result](("not_applied", "refused", "limit"))
_SHOWN = 200  # characters of a comment


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of an action; `reason` is a slug, `detail` what GitHub says to a refused one."""

    action: Action
    result: Result
    reason: str | None = None
    detail: str = ""

    @property
    def sentence(self) -> str:
        """Return the log's sentence."""
        return f"{SENTENCES[self.result]}: {self.detail}" if self.detail else SENTENCES[self.result]

    @property
    def value(self) -> str:
        """Return the label, the login, the reason of the close, or the beginning of the comment."""
        return self.action.value[:_SHOWN]
