"""The faults that a test asks for: which requests to a stand-in fail, and how."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to fail a request; a subclass says which requests.

    status, headers, body: the HTTP answer; body defaults to the service's own for that status.
    hang: seconds to wait first; without an answer the connection then closes.
    drop: close the connection without an answer.
    half: close the connection in the middle of the answer.
    after: carry out the request first, so that only its answer is lost; a hang alone then ends in the true
    answer, late, and a half in half of the true answer.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    hang: float = 0.0
    drop: bool = False
    half: bool = False
    after: bool = False

    def __post_init__(self) -> None:
        if not (self.has_answer or self.hang or self.drop or (self.half and self.after)):
            raise ValueError("a fault needs a status, an error, a hang, a drop, or half of an answer")

    @property
    def has_answer(self) -> bool:
        """Return whether the fault answers in place of the service."""
        return self.status is not None

    def applies_to(self, request: Any) -> bool:
        """Return whether a request, as its stand-in describes it, fails in this way."""
        raise NotImplementedError


def answer[F: Fault, R: Response](
    fault: F | None, *, carry_out: Callable[[], R], fail: Callable[[F], R], wait: Callable[[float], None]
) -> R:
    """Return the true answer of `carry_out` or, if the fault has one, the answer of `fail`.

    Raises ConnectionAbortedError to close the connection without an answer.
    """
    if fault is None:
        return carry_out()
    found = carry_out() if fault.after else None
    wait(fault.hang)
    if fault.has_answer:
        found = fail(fault)
    if fault.drop or found is None:
        raise ConnectionAbortedError
    if fault.half:
        whole = found.get_data()
        found.set_data(whole[: len(whole) // 2])
        found.headers.update({"Content-Length": str(len(whole)), "Connection": "close"})
    return found
