"""The faults of requests to GitHub."""

import re
from dataclasses import dataclass

from local import faults


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRequest:
    """A request: `number` counts from 1, `target` is path and query, names of headers are lower-case."""

    number: int
    method: str
    target: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(faults.Fault):
    """One way to fail a request.

    message: GitHub's sentence in the body. number: only the request with this number.
    target: only requests whose path and query match this regular expression somewhere.
    """

    message: str = "fault"
    number: int | None = None
    target: str = ""

    def applies_to(self, request: ReceivedRequest) -> bool:
        """Return whether a request fails in this way."""
        is_meant = self.number in {None, request.number}
        return is_meant and re.search(self.target, request.target) is not None
