"""The last messages of a topic that retains them, for a subscription that seeks to a time."""

import threading
from collections import deque
from datetime import datetime

from google.pubsub_v1 import types

MAX_BYTES = 32 * 1024 * 1024  # the service keeps them for the topic's retention instead


class Kept:
    """Messages of up to MAX_BYTES, the newest ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._messages: deque[types.PubsubMessage] = deque()
        self._bytes = 0

    def add(self, message: types.PubsubMessage) -> None:
        """Keep a message that was published, and forget the oldest ones if they are too many."""
        with self._lock:
            self._messages.append(message)
            self._bytes += len(message.data)
            while self._bytes > MAX_BYTES:
                self._bytes -= len(self._messages.popleft().data)

    def since(self, moment: datetime) -> list[types.PubsubMessage]:
        """Return what was published at that time or later."""
        with self._lock:
            return [message for message in self._messages if message.publish_time >= moment]
