"""Scripted faults: an answer in place of the true one, a build that fails, an account unknown to IAM."""

import re
from dataclasses import dataclass
from typing import Any

from tests.deploy.cloud.messages import Answer, Request
from tests.deploy.cloud.state import State

__all__ = ["Faults"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Once:
    method: str
    host: str
    path: re.Pattern[str]
    answer: Answer


class Faults:
    """What goes wrong next; each fault is used up by what it hits."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._once: list[_Once] = []

    def inject(self, method: str, host: str, path: str, status: int, body: Any = None) -> None:
        """Answer the next matching request with this status instead of doing what it asks.

        path: a regular expression that is found anywhere in the path; body: JSON value or bytes, by default
        Google's form of an error. gcloud retries a 5xx for half a minute and more.
        """
        body = _error(status) if body is None else body
        answer = Answer(status=status, body=body)
        self._once.append(_Once(method=method, host=host, path=re.compile(path), answer=answer))

    def fail_build(self, function: str, message: str) -> None:
        """Let the next build of a function fail."""
        self._state.failing_builds[function] = message

    def delay_iam(self, account: str, times: int) -> None:
        """Deny that an account exists, as often as this, to those who name it in a policy or a setting."""
        self._state.lag[account] = times

    @property
    def unused(self) -> list[str]:
        """The scripted answers that nothing has used up; a test may assert that there are none."""
        return [f"{fault.method} {fault.host}{fault.path.pattern}" for fault in self._once]

    def take(self, request: Request) -> Answer | None:
        """Use up the first fault that matches; None without one."""
        for fault in self._once:
            if (fault.method, fault.host) == (request.method, request.host) and fault.path.search(
                request.path
            ):
                self._once.remove(fault)
                return fault.answer
        return None


def _error(status: int) -> Any:
    return {"error": {"code": status, "message": f"injected fault {status}", "status": "UNKNOWN"}}
