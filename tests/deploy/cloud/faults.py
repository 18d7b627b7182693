"""Injected faults: another answer, a failed build, an account that IAM does not know yet."""

import re
from dataclasses import dataclass
from typing import Any

from tests.deploy.cloud.messages import Answer, Request
from tests.deploy.cloud.state import State

__all__ = ["Faults"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    method: str
    host: str
    path: re.Pattern[str]
    answer: Answer


class Faults:
    """Faults of the next requests; each is used once."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._faults: list[_Fault] = []

    def inject(self, method: str, host: str, path: str, status: int, body: Any = None) -> None:
        """Answer the next matching request with this status instead of serving it.

        path: a regular expression that is searched in the path; body: JSON value or bytes, by default
        Google's form of an error. gcloud retries a 5xx for at least half a minute.
        """
        body = _error(status) if body is None else body
        answer = Answer(status=status, body=body)
        self._faults.append(_Fault(method=method, host=host, path=re.compile(path), answer=answer))

    def fail_build(self, function: str, message: str) -> None:
        """Make the next build of a function fail."""
        self._state.failing_builds[function] = message

    def delay_iam(self, account: str, times: int) -> None:
        """Treat an account as unknown the next `times` times that a policy or a setting names it."""
        self._state.iam_delays[account] = times

    @property
    def unused(self) -> list[str]:
        """The injected answers that no request has used; a test may assert that there are none."""
        return [f"{fault.method} {fault.host}{fault.path.pattern}" for fault in self._faults]

    def take(self, request: Request) -> Answer | None:
        """Remove and return the first fault that matches; None without one."""
        for fault in self._faults:
            if (fault.method, fault.host) == (request.method, request.host) and fault.path.search(
                request.path
            ):
                self._faults.remove(fault)
                return fault.answer
        return None


def _error(status: int) -> Any:
    return {"error": {"code": status, "message": f"injected fault {status}", "status": "UNKNOWN"}}
