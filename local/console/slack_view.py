"""Slack's channels as the page shows them: each message drawn once, and again only after a change."""

from collections.abc import Mapping
from typing import Any, Final

from local.console.changes import Changes
from local.slack.message import Message
from local.slack.rendering.mrkdwn import Names
from local.slack.rendering.page import render_message
from local.slack.workspace import Workspace

SHOWN: Final = 200  # newest messages of a channel; the parent of a shown reply is shown too

type Json = dict[str, Any]
type Key = tuple[str, str]  # channel and ts


class SlackView:
    """The newest messages of every channel; the caller holds a lock."""

    def __init__(self, workspace: Workspace, names: Names) -> None:
        self._workspace = workspace
        self._names = names
        self._messages: Changes[Key, Message] = Changes()
        self._drawn: dict[Key, tuple[Message, Json]] = {}

    @property
    def revision(self) -> int:
        """Return the number of the newest change."""
        return self._messages.revision

    def refresh(self, number: int) -> None:
        """See what has changed; `number` is that of the newest happening."""
        found = {
            (message.channel, message.ts): message
            for channel in self._workspace.channels(self._names.channels)
            for message in self._workspace.newest(channel, SHOWN)
        }
        before = self._messages.values()
        gone = {key for key in before.keys() - found.keys() if not self._workspace.has(*key)}
        self._messages.update(found, gone, number)
        self._drawn = {key: self._drawn[key] for key in self._drawn.keys() & found.keys()}

    def channels(self) -> list[Json]:
        """Return every channel with its messages, oldest first."""
        by_channel: dict[str, list[Json]] = {
            channel: [] for channel in self._workspace.channels(self._names.channels)
        }
        for key, message in self._messages.values().items():
            by_channel[key[0]].append(self._shown(message))
        names: Mapping[str, str] = self._names.channels
        return [
            {"id": id_, "name": names.get(id_, id_), "messages": sent} for id_, sent in by_channel.items()
        ]

    def since(self, number: int, revision: int) -> list[Json]:
        """Return the messages that changed since, as the stream shows them."""
        return [
            {"channel": channel, "ts": ts, "gone": True}
            if message is None
            else {"channel": channel, **self._shown(message)}
            for (channel, ts), message in self._messages.since(number, revision).items()
        ]

    def _shown(self, message: Message) -> Json:
        key = message.channel, message.ts
        drawn = self._drawn.get(key)
        if drawn is None or drawn[0] is not message:
            shown = {
                "ts": message.ts,
                "thread_ts": message.thread_ts,
                "html": render_message(message, self._names),
                "metadata": message.metadata,
                "edited": message.edited is not None,
            }
            drawn = self._drawn[key] = message, shown
        return drawn[1]
