"""When Slack is asked again after it has refused for a reason that lasts, until an operator removes it.

Between the steps every delivery is refused at once, without a call. A step lets one thread through; its
success ends the refusal, and so does another token.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock, get_ident

from clients.slack.errors import SlackRefused

FIRST_STEP_SECONDS = 10.0
LONGEST_STEP_SECONDS = 300.0
_WORKSPACE = ""  # stands for every channel
_LASTING = {  # Slack's error codes by what they are about, which is never a single message or thread
    "workspace": "accesslimited account_inactive invalid_auth not_allowed_token_type not_authed"
    " org_login_required team_added_to_org team_disabled token_expired token_revoked"
    " two_factor_setup_required",
    "channel": "access_denied action_prohibited app_access_restricted channel_is_archived"
    " channel_is_limited_access channel_not_found ekm_access_denied enterprise_is_restricted invalid_token"
    " is_archived is_inactive method_not_supported_for_channel_type missing_scope no_active_hooks"
    " no_permission no_service no_service_id no_team not_in_channel posting_to_general_channel_denied"
    " restricted_action restricted_action_read_only_channel team_access_not_granted team_not_found",
}
_ABOUT = {code: about for about, codes in _LASTING.items() for code in codes.split()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    """What is refused, for how long, and the thread that may try meanwhile."""

    error: SlackRefused
    reads: bool
    step: float
    until: float
    trying: int = 0


class Backoff:
    """The lasting refusals of channels, and of the workspace."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._token = ""
        self._refusals: dict[str, _Refusal] = {}

    def run[T](self, token: str, method: str, channel: str, send: Callable[[], T]) -> T:
        """Return what `send` returns. Raises what it raises, and at once the refusal that lasts."""
        self.check(token, channel)
        try:
            answer = send()
        except SlackRefused as error:
            self._note(token, method, channel, error)
            raise
        self._end(token, method, channel)
        return answer

    def check(self, token: str, channel: str) -> None:
        """Raise the refusal that lasts, unless it is time for another try, which is this thread's then."""
        with self._lock:
            if token != self._token:
                self._token = token
                self._refusals.clear()
            now, me = self._clock(), get_ident()
            places = [place for place in (_WORKSPACE, channel) if place in self._refusals]
            for refusal in (self._refusals[place] for place in places):
                if now < refusal.until and refusal.trying != me:
                    raise SlackRefused(refusal.error.code, refusal.error.missing_scopes)
            for place in places:  # a try that makes no such call ends by itself
                if now >= self._refusals[place].until:
                    until = now + FIRST_STEP_SECONDS
                    self._refusals[place] = replace(self._refusals[place], until=until, trying=me)

    def _note(self, token: str, method: str, channel: str, error: SlackRefused) -> None:
        if error.code not in _ABOUT:
            return
        place = _WORKSPACE if _ABOUT[error.code] == "workspace" else channel
        with self._lock:
            before, now = self._refusals.get(place), self._clock()
            if token != self._token or (before and now < before.until and before.trying != get_ident()):
                return  # of a former token, or of a call that had begun before the refusal was known
            step = min(2 * before.step, LONGEST_STEP_SECONDS) if before else FIRST_STEP_SECONDS
            self._refusals[place] = _Refusal(error=error, reads=_reads(method), step=step, until=now + step)

    def _end(self, token: str, method: str, channel: str) -> None:
        """Forget what the success of the call disproves: an archived channel can still be read."""
        with self._lock:
            if token == self._token:
                self._refusals.pop(_WORKSPACE, None)
                refusal = self._refusals.get(channel)
                if refusal and refusal.reads == _reads(method):
                    del self._refusals[channel]


def _reads(method: str) -> bool:
    return method.startswith("conversations.")
