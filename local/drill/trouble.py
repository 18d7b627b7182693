"""Makes the parts of the stack fail as a schedule says, and well again."""

import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

import grpc

from local.bigquery.front import BigQueryFront
from local.drill.schedule import Fault, Kind
from local.drill.traffic import Traffic
from local.stack.options import SECRET
from local.stack.stack import Stack

INSERT = "insertAll"  # how stream_bq stores rows

_SLACK: dict[Kind, dict[str, Any]] = {
    Kind.SLACK_LIMITS: {"status": 429, "headers": {"Retry-After": "1"}},
    Kind.SLACK_FAILS: {"error": "internal_error"},
    Kind.SLACK_LOSES: {"drop": True, "after": True},
}
_BIGQUERY: dict[Kind, dict[str, Any]] = {
    Kind.BIGQUERY_REFUSES: {"status": 503},
    Kind.BIGQUERY_FORBIDS: {"status": 403},
    Kind.BIGQUERY_LOSES: {"drop": True, "after": True},
}


class Trouble:
    """The faults of one stack; those of one service must not overlap."""

    def __init__(self, stack: Stack, front: BigQueryFront, traffic: Traffic) -> None:
        self._stack = stack
        self._front = front
        self._traffic = traffic
        self._versions = 1
        self._ends: dict[Fault, Callable[[], None]] = {}

    def begin(self, fault: Fault) -> None:
        """Let it fail."""
        kind = fault.kind
        if kind.function:
            self._stack.children[kind.function].kill()
        elif kind in _SLACK:
            self._slack(fault, **_SLACK[kind])
        elif kind is Kind.SLACK_SILENT:
            self._slack(fault, hang=fault.ends - fault.begins)
        elif kind in _BIGQUERY:
            self._front.fail_until_cleared(target=INSERT, **_BIGQUERY[kind])
            self._ends[fault] = self._front.clear_faults
        elif kind is Kind.PUBSUB_STOPS:
            assert self._stack.pubsub_server is not None
            self._stack.pubsub_server.pause(paused=True)
            self._ends[fault] = partial(self._stack.pubsub_server.pause, paused=False)
        elif kind is Kind.HOOK_OFF:
            self._switch(on=False)
            self._ends[fault] = lambda: self._switch(on=True)
        elif kind is Kind.SECRET_ROTATED:
            self._rotate()
            self._ends[fault] = lambda: self._stack.secret_manager.disable(SECRET, self._versions - 1)
        elif kind is Kind.SECRETS_AWAY:
            self._stack.secret_manager.fail_with(grpc.StatusCode.UNAVAILABLE)
            self._ends[fault] = partial(self._stack.secret_manager.fail_with, None)
        elif kind is Kind.GITHUB_AWAY:
            self._traffic.server.fail_until_cleared(status=502)
            self._ends[fault] = self._traffic.server.clear_faults

    def end(self, fault: Fault) -> None:
        """Let it work again. A part that was killed is started again by others."""
        self._ends.pop(fault, lambda: None)()

    def end_all(self) -> None:
        """End every fault that has begun."""
        for fault in list(self._ends):
            self.end(fault)

    def _slack(self, fault: Fault, **how: Any) -> None:
        self._stack.slack.fail_until_cleared(**how)
        self._ends[fault] = self._stack.slack.clear_faults

    def _switch(self, *, on: bool) -> None:
        for hook in self._traffic.hooks:
            hook["active"] = on

    def _rotate(self) -> None:
        """Add a version, then give it to the webhooks; the old one is disabled at the end."""
        new = secrets.token_hex(20)
        self._versions = self._stack.secret_manager.add_version(SECRET, new.encode())
        for hook in self._traffic.hooks:
            hook["config"] = hook["config"] | {"secret": new}
