"""Who may do what: the channels' restrictions and the app's scopes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.slack.rules.problems import Problem, RefusedError

WRITE: Final = "chat:write"
READ_PUBLIC: Final = "channels:history"
READ_PRIVATE: Final = "groups:history"
UPLOAD: Final = "files:write"
ALL_SCOPES: Final = frozenset({WRITE, READ_PUBLIC, READ_PRIVATE, UPLOAD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The app's scopes, and the ids of its channels by restriction; a channel may have several.

    A post is refused with is_archived (an update with is_inactive), not_in_channel or restricted_action;
    not_member refuses reading too. Reading a private channel needs groups:history instead of
    channels:history, and it is channel_not_found for an app that is not a member.
    """

    channels: Mapping[str, str]
    archived: Collection[str] = ()
    not_member: Collection[str] = ()
    restricted: Collection[str] = ()
    private: Collection[str] = ()
    scopes: Collection[str] = ALL_SCOPES

    def readable(self, channel: Any) -> str:
        """Return the channel; raises RefusedError unless the app can read it."""
        if not isinstance(channel, str) or channel not in self.channels:
            raise RefusedError(Problem(error="channel_not_found"))
        if channel in self.not_member:
            error = "channel_not_found" if channel in self.private else "not_in_channel"
            raise RefusedError(Problem(error=error))
        return channel

    def writable(self, channel: Any, *, archived: str = "is_archived") -> str:
        """Return the channel; raises RefusedError unless the app can write to it."""
        if isinstance(channel, str) and channel in self.channels and channel in self.archived:
            raise RefusedError(Problem(error=archived))
        if self.readable(channel) in self.restricted:
            raise RefusedError(Problem(error="restricted_action"))
        return channel

    def check_scope(self, method: str, channel: Any) -> None:
        """Raise RefusedError with missing_scope unless the app may call this; auth.test needs no scope."""
        is_private = isinstance(channel, str) and channel in self.private
        needed = READ_PRIVATE if is_private else READ_PUBLIC
        if method.startswith("chat."):
            needed = WRITE
        if method.startswith("files."):
            needed = UPLOAD
        if method != "auth.test" and needed not in self.scopes:
            details = {"needed": needed, "provided": ",".join(sorted(self.scopes))}
            raise RefusedError(Problem(error="missing_scope"), details=details)
