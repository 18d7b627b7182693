"""A Slack workspace in memory: its messages, and the Web API methods that act on them."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from local.slack.access import Access
from local.slack.files import File, Files
from local.slack.message import BOT, TEAM, USER, Message, archived_view, message_view, tombstone_view
from local.slack.paging import cut_page, microseconds, read_window
from local.slack.rules.arguments import check_arguments
from local.slack.rules.problems import Arguments, Problem, RefusedError

type Answer = dict[str, object]
# Called with what was done (posted, updated or deleted) and the message, which the change waits for.
type OnChange = Callable[[str, Message], object]
type _ByChannel = defaultdict[str, dict[str, Message]]  # then by ts, oldest first


class Workspace:
    """All messages and the methods that act on them; each call is atomic.

    history_lag: seconds, by clock, until conversations.history shows a new message; file_delay: until a block
    may show a new file. bare_updates: whether an update may take off the attachments and give nothing else.
    """

    def __init__(
        self,
        access: Access,
        *,
        history_lag: float,
        file_delay: float,
        bare_updates: bool,
        clock: Callable[[], float],
    ) -> None:
        self.access = access
        self._files = Files(file_delay, clock)
        self._history_lag = history_lag
        self._bare_updates = bare_updates
        self._clock = clock
        self.on_change: OnChange = lambda *_: None
        self._lock = threading.Lock()
        self._messages: _ByChannel = defaultdict(dict)
        self._deleted: _ByChannel = defaultdict(dict)  # parents only: their threads may go on
        self._last_ts = 0  # microseconds
        self._methods = {
            "auth.test": _auth_test,
            "chat.delete": self._delete,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "files.completeUploadExternal": self._files.complete,
            "files.getUploadURLExternal": self._files.begin,
        }

    @property
    def messages(self) -> list[Message]:
        """The stored messages in their current state, oldest first; a copy."""
        with self._lock:
            stored = [message for channel in self._messages.values() for message in channel.values()]
        return sorted(stored, key=lambda message: microseconds(message.ts))

    def channels(self, first: Iterable[str] = ()) -> list[str]:
        """Return the channels that are named, and any other with messages."""
        with self._lock:
            return list(dict.fromkeys([*first, *self._messages]))

    def newest(self, channel: str, count: int) -> list[Message]:
        """Return the last messages of a channel with the parents of those that are replies, oldest first."""
        with self._lock:
            stored = self._messages[channel]
            found = {message.ts: message for message in islice(reversed(stored.values()), count)}
            threads = {message.thread_ts for message in found.values()} & stored.keys()
            found |= {ts: stored[ts] for ts in threads if ts is not None}
        return sorted(found.values(), key=lambda message: microseconds(message.ts))

    def has(self, channel: str, ts: str) -> bool:
        """Return whether there is such a message."""
        with self._lock:
            return ts in self._messages[channel]

    def check_method(self, name: str, verb: str) -> None:
        """Raise RefusedError with unknown_method, or invalid_post_type for a write by GET."""
        if name not in self._methods:
            raise RefusedError(Problem(error="unknown_method", message=f"no method {name} here"))
        if verb != "POST" and name.startswith(("chat.", "files.")):
            raise RefusedError(Problem(error="invalid_post_type", message=f"{name} is called by POST"))

    def call(self, name: str, arguments: Arguments) -> Answer:
        """Carry out a call; raises RefusedError."""
        with self._lock:
            return self._methods[name](arguments)

    def take_webhook(self, channel: str, arguments: Arguments) -> None:
        """Store the message of an incoming webhook; raises RefusedError."""
        with self._lock:
            self._store(self.access.writable(channel), arguments, via="webhook")

    def take_upload(self, name: str, content: bytes) -> bool:
        """Take the bytes of an upload; return whether they are what was announced."""
        with self._lock:
            return self._files.take(name, content)

    def picture(self, name: str) -> File | None:
        """Return a file that a block may show now."""
        with self._lock:
            return self._files.picture(name)

    def _post(self, arguments: Arguments) -> Answer:
        message = self._store(self.access.writable(arguments.get("channel")), arguments, via="api")
        return {"channel": message.channel, "ts": message.ts, "message": message_view(message)}

    def _update(self, arguments: Arguments) -> Answer:
        channel = self.access.writable(arguments.get("channel"), archived="is_inactive")
        stripping = {"text": "-", **arguments} if arguments.get("attachments") == [] else arguments
        _check("chat.update", stripping if self._bare_updates else arguments)
        stored = self._own(channel, arguments["ts"], "cant_update_message")
        # docs.slack.dev/reference/methods/chat.update: metadata and attachments stay unless they are given,
        # {} and [] remove them; blocks stay if there is no text either, and go if there is only a text. Only
        # then the message is marked as edited. That the text stays too is not documented.
        kept = () if "text" in arguments else stored.blocks
        text, blocks = arguments.get("text", stored.text), tuple(arguments.get("blocks", kept))
        self._files.check_blocks(blocks)
        updated = replace(
            stored,
            text=text,
            blocks=blocks,
            metadata=arguments.get("metadata", stored.metadata) or None,
            edited=None if blocks else f"{int(self._clock())}.000000",
            attachments=tuple(arguments.get("attachments", stored.attachments)),
        )
        self._messages[channel][stored.ts] = updated
        self.on_change("updated", updated)
        view = message_view(updated, self._threads(channel)[stored.ts])
        return {"channel": channel, "ts": stored.ts, "text": updated.text, "message": view}

    def _delete(self, arguments: Arguments) -> Answer:
        channel = self.access.writable(arguments.get("channel"))
        _check("chat.delete", arguments)
        message = self._own(channel, arguments["ts"], "cant_delete_message")
        del self._messages[channel][message.ts]
        if message.thread_ts is None:
            self._deleted[channel][message.ts] = message
        self.on_change("deleted", message)
        return {"channel": channel, "ts": message.ts}

    def _history(self, arguments: Arguments) -> Answer:
        channel = self.access.readable(arguments.get("channel"))
        _check("conversations.history", arguments)
        window = read_window(arguments)
        tops = [message for message in self._messages[channel].values() if message.thread_ts is None]
        if self._history_lag:
            newest = int((self._clock() - self._history_lag) * 1_000_000)
            tops = [message for message in tops if microseconds(message.ts) <= newest]
        page, cursor = cut_page([*tops, *self._tombstones(channel).values()], window, newest_first=True)
        answer = self._page(channel, page, cursor, arguments)
        if channel in self.access.archived and not {"latest", "cursor"} & arguments.keys():
            answer["messages"] = [archived_view(f"{int(self._clock())}.000000"), *answer["messages"]]
        return answer

    def _replies(self, arguments: Arguments) -> Answer:
        channel = self.access.readable(arguments.get("channel"))
        _check("conversations.replies", arguments)
        window = read_window(arguments)
        ts = arguments["ts"]
        parent = self._messages[channel].get(ts) or self._tombstones(channel).get(ts)
        if parent is None or parent.thread_ts is not None:
            raise RefusedError(Problem(error="thread_not_found"))
        page, cursor = cut_page([parent, *self._threads(channel)[ts]], window, newest_first=False)
        return self._page(channel, page, cursor, arguments)

    def _page(self, channel: str, page: list[Message], cursor: str, arguments: Arguments) -> dict[str, Any]:
        metadata = arguments.get("include_all_metadata", False)
        threads = self._threads(channel)
        views = [
            tombstone_view(message, threads[message.ts])
            if message.ts in self._deleted[channel]
            else message_view(message, threads[message.ts], metadata=metadata)
            for message in page
        ]
        return {"messages": views, "has_more": bool(cursor), "response_metadata": {"next_cursor": cursor}}

    def _store(self, channel: str, arguments: Arguments, *, via: str) -> Message:
        _check("webhook" if via == "webhook" else "chat.postMessage", arguments)
        self._files.check_blocks(arguments.get("blocks", ()))
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
        self._messages[channel][message.ts] = message
        self.on_change("posted", message)
        return message

    def _thread_for(self, channel: str, ts: str | None) -> str | None:
        """Return the thread of a reply; as in Slack, None if its parent was deleted and had no replies."""
        if not ts:
            return None
        if ts in self._deleted[channel]:
            return ts if ts in self._tombstones(channel) else None
        parent = self._messages[channel].get(ts)
        # Slack silently accepts a parent that never existed or is itself a reply; refused here, to show bugs.
        if parent is None or parent.thread_ts is not None:
            raise RefusedError(Problem(error="thread_not_found"))
        return ts

    def _own(self, channel: str, ts: str, foreign: str) -> Message:
        """Return a message that the app posted with its token; one of a webhook is refused with `foreign`."""
        message = self._messages[channel].get(ts)
        if message is None:
            raise RefusedError(Problem(error="message_not_found"))
        if message.via == "webhook":
            raise RefusedError(Problem(error=foreign))
        return message

    def _threads(self, channel: str) -> Mapping[str, list[Message]]:
        """Return the replies, oldest first, by the ts of their parent."""
        threads: defaultdict[str, list[Message]] = defaultdict(list)
        for message in self._messages[channel].values():
            if message.thread_ts is not None:
                threads[message.thread_ts].append(message)
        return threads

    def _tombstones(self, channel: str) -> dict[str, Message]:
        """Return, by ts, the deleted messages of a channel that still have replies."""
        threads = self._threads(channel)
        return {ts: message for ts, message in self._deleted[channel].items() if threads[ts]}


def _auth_test(_arguments: Arguments) -> Answer:
    ids = {"team_id": TEAM, "user_id": USER, "bot_id": BOT, "is_enterprise_install": False}
    return {"url": "https://local.slack.com/", "team": "Local", "user": "issuewire", **ids}


def _check(method: str, arguments: Arguments) -> None:
    if problems := check_arguments(method, arguments):
        raise RefusedError(*problems)
