"""The faults of Slack's calls."""

from dataclasses import dataclass

from local import faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(faults.Fault):
    """One way to fail a call.

    error: an answer with ok false and this error; for a webhook its plain text.
    method: only calls of this method, or "webhook"; None means any.
    """

    error: str | None = None
    method: str | None = None

    @property
    def has_answer(self) -> bool:
        """Return whether the fault answers in place of Slack."""
        return self.status is not None or self.error is not None

    def applies_to(self, request: str) -> bool:
        """Return whether a call of this method fails in this way."""
        return self.method in {None, request}
