"""GitHub's secondary limit on changes.

https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
"""

import math
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from local.github.errors import ApiError

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SENTENCE = (
    "You have exceeded a secondary rate limit and have been temporarily blocked from content creation. "
    "Please retry your request again later."
)


@dataclass(slots=True, kw_only=True)
class WriteLimits:
    """How many changes GitHub takes; one too many is answered with `status`, 403 or 429."""

    per_minute: int = 80
    per_hour: int = 500
    status: int = 403
    taken: deque[datetime] = field(default_factory=deque)

    def take(self, now: datetime) -> None:
        """Count a change. Raises ApiError with Retry-After if it is one too many."""
        while self.taken and self.taken[0] <= now - HOUR:
            self.taken.popleft()
        for limit, span in ((self.per_hour, HOUR), (self.per_minute, MINUTE)):
            if len(self.taken) >= limit and (again_at := self.taken[-limit] + span) > now:
                seconds = math.ceil((again_at - now).total_seconds())
                raise ApiError(self.status, SENTENCE, headers={"Retry-After": str(seconds)})
        self.taken.append(now)
