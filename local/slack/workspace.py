"""A Slack workspace in memory: its channels, its messages, and the methods of the Web API that act on them.

Not imitated: people and what they post, joining, broadcast replies, limits on how old a message may be
updated, the users of a thread; and a thread is read by its parent's ts only, not by that of a reply.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from local.slack.page import Message, Names
from local.slack.paging import cut, microseconds, read_window
from local.slack.rules import (
    DELETE_ARGUMENTS,
    HISTORY_ARGUMENTS,
    POST_ARGUMENTS,
    REPLIES_ARGUMENTS,
    WEBHOOK_ARGUMENTS,
    Arguments,
    Problem,
    RefusedError,
    check_arguments,
    check_message,
    check_update,
)
from local.slack.shown import BOT, TEAM, USER, as_slack, as_tombstone

WRITE: Final = "chat:write"
READ_PUBLIC: Final = "channels:history"
READ_PRIVATE: Final = "groups:history"
ALL_SCOPES: Final = frozenset({WRITE, READ_PUBLIC, READ_PRIVATE})

_ANY_VERB = frozenset({"GET", "POST"})
_POST_ONLY = frozenset({"POST"})

type Answer = dict[str, Any]
type NeededScope = Callable[[Arguments], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One method: the verbs Slack's own clients use for it, what it does, and the scope it needs (or "")."""

    verbs: frozenset[str]
    act: Callable[[Arguments], Answer]
    scope: NeededScope


class Workspace:
    """Every message, and who may do what; each call is one step that no other call divides.

    closed and hidden: channel id -> error that refuses a write, and a read. history_lag: seconds, by clock,
    until a new message is in conversations.history.
    """

    def __init__(  # noqa: PLR0913 -- each is one property of a workspace
        self,
        names: Names,
        *,
        closed: Mapping[str, str],
        hidden: Mapping[str, str],
        private: Collection[str],
        scopes: Collection[str],
        history_lag: float,
        clock: Callable[[], float],
    ) -> None:
        self._names = names
        self._closed = closed
        self._frozen = {
            channel: "is_inactive" if error == "is_archived" else error for channel, error in closed.items()
        }
        self._hidden = hidden
        self._private = frozenset(private)
        self._scopes = frozenset(scopes)
        self._history_lag = history_lag
        self._clock = clock
        self._lock = threading.Lock()
        self._messages: dict[tuple[str, str], Message] = {}  # by channel and ts, oldest first
        self._deleted: dict[tuple[str, str], Message] = {}  # parents only: their threads may go on
        self._last_ts = 0  # microseconds
        self._methods = {
            "auth.test": Method(verbs=_ANY_VERB, act=_auth_test, scope=lambda _: ""),
            "chat.delete": Method(verbs=_POST_ONLY, act=self._delete, scope=lambda _: WRITE),
            "chat.postMessage": Method(verbs=_POST_ONLY, act=self._post, scope=lambda _: WRITE),
            "chat.update": Method(verbs=_POST_ONLY, act=self._update, scope=lambda _: WRITE),
            "conversations.history": Method(verbs=_ANY_VERB, act=self._history, scope=self._reading),
            "conversations.replies": Method(verbs=_ANY_VERB, act=self._replies, scope=self._reading),
        }

    @property
    def messages(self) -> list[Message]:
        """What is kept, as it stands now, oldest first; a copy."""
        with self._lock:
            return list(self._messages.values())

    def method(self, name: str, verb: str) -> Method:
        """Find a method; raises RefusedError with unknown_method or invalid_post_type."""
        if name not in self._methods:
            raise RefusedError(Problem(error="unknown_method", message=f"no method {name} here"))
        if verb not in self._methods[name].verbs:
            raise RefusedError(Problem(error="invalid_post_type", message=f"{name} is called by POST"))
        return self._methods[name]

    def check_scope(self, method: Method, arguments: Arguments) -> None:
        """Raise RefusedError with missing_scope, and what is needed and provided, unless the app may call."""
        needed = method.scope(arguments)
        if needed and needed not in self._scopes:
            provided = ",".join(sorted(self._scopes))
            raise RefusedError(
                Problem(error="missing_scope"), details={"needed": needed, "provided": provided}
            )

    def call(self, method: Method, arguments: Arguments) -> Answer:
        """Carry out a call; raises RefusedError."""
        with self._lock:
            return method.act(arguments)

    def take_webhook(self, channel: str, arguments: Arguments) -> None:
        """Keep what an incoming webhook was sent; raises RefusedError."""
        with self._lock:
            self._keep(self._writable(channel), arguments, via="webhook")

    def _post(self, arguments: Arguments) -> Answer:
        message = self._keep(self._writable(arguments.get("channel")), arguments, via="api")
        return {"channel": message.channel, "ts": message.ts, "message": as_slack(message)}

    def _update(self, arguments: Arguments) -> Answer:
        channel = self._open(arguments.get("channel"), self._frozen)
        _refuse(check_update(arguments))
        kept = self._own(channel, arguments["ts"], "cant_update_message")
        # docs.slack.dev/reference/methods/chat.update: metadata stays unless given, and {} removes it; blocks
        # go when only a text is given, and only then the message is marked as edited.
        blocks = tuple(arguments.get("blocks", ()))
        updated = replace(
            kept,
            text=arguments.get("text", ""),
            blocks=blocks,
            metadata=arguments.get("metadata", kept.metadata) or None,
            edited=None if blocks else f"{int(self._clock())}.000000",
        )
        self._messages[channel, kept.ts] = updated
        shown = as_slack(updated, self._threads(channel)[kept.ts])
        return {"channel": channel, "ts": kept.ts, "text": updated.text, "message": shown}

    def _delete(self, arguments: Arguments) -> Answer:
        channel = self._writable(arguments.get("channel"))
        _refuse(check_arguments(arguments, DELETE_ARGUMENTS, required={"ts"}))
        message = self._own(channel, arguments["ts"], "cant_delete_message")
        del self._messages[channel, message.ts]
        if message.thread_ts is None:
            self._deleted[channel, message.ts] = message
        return {"channel": channel, "ts": message.ts}

    def _history(self, arguments: Arguments) -> Answer:
        channel = self._readable(arguments.get("channel"))
        _refuse(check_arguments(arguments, HISTORY_ARGUMENTS))
        window = read_window(arguments)
        kept = [message for (place, _), message in self._messages.items() if place == channel]
        tops = [message for message in kept if message.thread_ts is None]
        if self._history_lag:
            seen = int((self._clock() - self._history_lag) * 1_000_000)
            tops = [message for message in tops if microseconds(message.ts) <= seen]
        page, cursor = cut([*tops, *self._graves(channel).values()], window, newest_first=True)
        return self._page(channel, page, cursor, arguments)

    def _replies(self, arguments: Arguments) -> Answer:
        channel = self._readable(arguments.get("channel"))
        _refuse(check_arguments(arguments, REPLIES_ARGUMENTS, required={"ts"}))
        window = read_window(arguments)
        ts = arguments["ts"]
        parent = self._messages.get((channel, ts)) or self._graves(channel).get(ts)
        if parent is None or parent.thread_ts is not None:
            raise RefusedError(Problem(error="thread_not_found"))
        page, cursor = cut([parent, *self._threads(channel)[ts]], window, newest_first=False)
        return self._page(channel, page, cursor, arguments)

    def _page(self, channel: str, page: list[Message], cursor: str, arguments: Arguments) -> Answer:
        metadata = arguments.get("include_all_metadata", False)
        threads = self._threads(channel)
        shown = [
            as_tombstone(message, threads[message.ts])
            if (channel, message.ts) in self._deleted
            else as_slack(message, threads[message.ts], metadata=metadata)
            for message in page
        ]
        return {"messages": shown, "has_more": bool(cursor), "response_metadata": {"next_cursor": cursor}}

    def _keep(self, channel: str, arguments: Arguments, *, via: str) -> Message:
        _refuse(check_message(arguments, WEBHOOK_ARGUMENTS if via == "webhook" else POST_ARGUMENTS))
        thread_ts = self._thread_for(channel, arguments.get("thread_ts"))
        self._last_ts = max(self._last_ts + 1, int(self._clock() * 1_000_000))
        message = Message(
            channel=channel,
            ts=f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}",
            text=arguments.get("text", ""),
            blocks=tuple(arguments.get("blocks", ())),
            metadata=arguments.get("metadata"),
            thread_ts=thread_ts,
            via=via,
        )
        self._messages[channel, message.ts] = message
        return message

    def _thread_for(self, channel: str, ts: str | None) -> str | None:
        """Find the thread of a reply: as in Slack, none when its parent was deleted and had no replies."""
        if not ts:
            return None
        if (channel, ts) in self._deleted:
            return ts if ts in self._graves(channel) else None
        parent = self._messages.get((channel, ts))
        # Slack quietly accepts a parent that never was or is itself a reply; here that is a mistake to see.
        if parent is None or parent.thread_ts is not None:
            raise RefusedError(Problem(error="thread_not_found"))
        return ts

    def _own(self, channel: str, ts: str, foreign: str) -> Message:
        """Find a message that the app posted under its token; one of a webhook is refused as foreign."""
        message = self._messages.get((channel, ts))
        if message is None:
            raise RefusedError(Problem(error="message_not_found"))
        if message.via == "webhook":
            raise RefusedError(Problem(error=foreign))
        return message

    def _threads(self, channel: str) -> Mapping[str, list[Message]]:
        """Give the replies in a channel by the ts of their parent, oldest first; none for any other ts."""
        threads: defaultdict[str, list[Message]] = defaultdict(list)
        for (place, _), message in self._messages.items():
            if place == channel and message.thread_ts is not None:
                threads[message.thread_ts].append(message)
        return threads

    def _graves(self, channel: str) -> dict[str, Message]:
        """Give, by ts, the deleted messages of a channel that their replies keep in sight."""
        threads = self._threads(channel)
        return {
            ts: message for (place, ts), message in self._deleted.items() if place == channel and threads[ts]
        }

    def _reading(self, arguments: Arguments) -> str:
        channel = arguments.get("channel")
        return READ_PRIVATE if isinstance(channel, str) and channel in self._private else READ_PUBLIC

    def _readable(self, channel: Any) -> str:
        return self._open(channel, self._hidden)

    def _writable(self, channel: Any) -> str:
        return self._open(channel, self._closed)

    def _open(self, channel: Any, refused: Mapping[str, str]) -> str:
        if not isinstance(channel, str) or channel not in self._names.channels:
            raise RefusedError(Problem(error="channel_not_found"))
        if channel in refused:
            raise RefusedError(Problem(error=refused[channel]))
        return channel


def _auth_test(_arguments: Arguments) -> Answer:
    ids = {"team_id": TEAM, "user_id": USER, "bot_id": BOT, "is_enterprise_install": False}
    return {"url": "https://local.slack.com/", "team": "Local", "user": "issuewire", **ids}


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise RefusedError(*problems)
