"""Group commit: what arrives while enough sends are in flight goes out together in the next send.

While fewer sends are in flight than allowed, an item is sent at once, with those that arrive in the same
round of the event loop. A lone item never waits for others.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipeline.errors import Unavailable

# Sends the items within the seconds, and returns one outcome for each, in order: its result or its error.
Send = Callable[[Sequence[Any], float], Coroutine[Any, Any, Sequence[Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much goes at a time. Bytes are as the caller of `submit` counts them."""

    sends: int  # in flight at the same time
    group_items: int
    group_bytes: int
    waiting_bytes: int
    enough: int = 6  # items that are sent without waiting for the end of the round


@dataclass(eq=False, slots=True)
class _Entry:
    item: Any
    size: int
    deadline: float
    outcome: asyncio.Future[Any]

    def settle(self, outcome: Any) -> None:
        """Hand the outcome to the caller, unless it is gone."""
        if self.outcome.done():
            return
        if isinstance(outcome, asyncio.CancelledError):  # the loop is being closed
            self.outcome.cancel()
        elif isinstance(outcome, BaseException):
            self.outcome.set_exception(outcome)
        else:
            self.outcome.set_result(outcome)


class GroupCommit[Item, Result]:
    """Used on one event loop. Each item gets its own outcome, however it was grouped.

    An error that `send` raises counts for the whole group, but if `splits` is true of it, the halves are sent
    again, so that one bad item fails alone.
    """

    def __init__(self, send: Send, limits: Limits, *, splits: Callable[[Exception], bool]) -> None:
        self._send = send
        self._limits = limits
        self._splits = splits
        self._waiting: deque[_Entry] = deque()
        self._waiting_bytes = 0
        self._halves: deque[list[_Entry]] = deque()  # of groups that were refused as a whole
        self._sends: set[asyncio.Task[Sequence[Any]]] = set()

    async def submit(self, item: Item, size: int, seconds: float) -> Result:
        """Send the item, alone or with others, and return its result or raise its error.

        Raises TimeoutError after `seconds`. An item that is still waiting then, or when the caller is
        cancelled, is not sent any more; one that is in flight may still arrive. Raises Unavailable at once if
        too much is waiting.
        """
        if self._waiting and self._waiting_bytes + size > self._limits.waiting_bytes:
            raise Unavailable("overloaded", "Too much is waiting to be sent.")
        loop = asyncio.get_running_loop()
        entry = _Entry(item, size, loop.time() + seconds, loop.create_future())
        self._waiting.append(entry)
        self._waiting_bytes += size
        if len(self._waiting) >= self._limits.enough:
            self._start_sends()
        elif len(self._waiting) == 1:
            loop.call_soon(self._start_sends, context=Context())
        try:
            async with asyncio.timeout_at(entry.deadline):
                result: Result = await entry.outcome
                return result
        finally:
            if entry.outcome.cancelled() and entry in self._waiting:
                self._waiting.remove(entry)
                self._waiting_bytes -= size

    def _start_sends(self) -> None:
        while len(self._sends) < self._limits.sends and (group := self._next_group()):
            seconds = max(entry.deadline for entry in group) - asyncio.get_running_loop().time()
            sending = self._send([entry.item for entry in group], max(seconds, 0.0))
            # An empty context: a group's log lines must not carry the fields of one of its requests.
            task = asyncio.get_running_loop().create_task(sending, context=Context())
            self._sends.add(task)
            task.add_done_callback(partial(self._settle, group), context=Context())

    def _next_group(self) -> list[_Entry]:
        """Return the entries to send next, without those whose caller is gone, or none."""
        while self._halves:
            if group := [entry for entry in self._halves.popleft() if not entry.outcome.done()]:
                return group
        group, size = [], 0
        while self._waiting and len(group) < self._limits.group_items:
            if group and size + self._waiting[0].size > self._limits.group_bytes:
                break
            entry = self._waiting.popleft()
            self._waiting_bytes -= entry.size
            if not entry.outcome.done():
                group.append(entry)
                size += entry.size
        return group

    def _settle(self, group: list[_Entry], task: asyncio.Task[Sequence[Any]]) -> None:
        """Give each entry its outcome, or send the halves of the group again."""
        self._sends.discard(task)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if isinstance(error, Exception) and len(group) > 1 and self._splits(error):
            half = len(group) // 2
            self._halves += [group[:half], group[half:]]
        else:
            outcomes = task.result() if error is None else [error] * len(group)
            if len(outcomes) != len(group):
                outcomes = [RuntimeError("A send returned another number of outcomes.")] * len(group)
            for entry, outcome in zip(group, outcomes, strict=True):
                entry.settle(outcome)
        self._start_sends()
