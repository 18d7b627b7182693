"""A backfill under test: Pub/Sub, a repository with a history, and the command in this or another process."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from click.testing import CliRunner, Result
from google.pubsub_v1 import PullResponse

from local.github.repository import HostedRepository
from local.github.server import TOKEN, GitHubServer
from local.processes import ROOT
from local.pubsub.server import PubSubServer
from ops.__main__ import ops
from ops.backfill import run
from ops.send import accounts, payloads
from tests.support import pubsub
from tests.support.messages import NOON, an_issue

MONA = accounts.Account(login="mona")
AUTHOR = accounts.Account(login="octavia")
SECONDS = 60.0
STARTED: list[subprocess.Popen[str]] = []


class PubSub:
    """A topic, and a subscription that keeps everything published."""

    def __init__(self) -> None:
        self._server = PubSubServer()
        self.host = self._server.start()
        self._inbox = pubsub.PubSub(host=self.host).new_topic()
        self.topic = self._inbox.topic

    def pull(self) -> list[Any]:
        """Return all messages that are there, and acknowledge them."""
        subscriber, name = self._inbox.subscriber, self._inbox.subscription
        found: list[Any] = []
        while True:
            request = {"subscription": name, "max_messages": 1000, "return_immediately": True}
            received = PullResponse.pb(subscriber.pull(request, timeout=10)).received_messages
            if not received:
                return found
            ids = [each.ack_id for each in received]
            subscriber.acknowledge(subscription=name, ack_ids=ids, timeout=10)
            found += [each.message for each in received]

    def stop(self) -> None:
        """End."""
        self._inbox.channel.close()
        self._server.stop()


def environment(server: GitHubServer, topic: PubSub, **changes: str) -> dict[str, str]:
    """Return the settings of the command."""
    return {
        "GITHUB_API_URL": server.url,
        "GITHUB_TOKEN": TOKEN,
        "PUBSUB_TOPIC": topic.topic,
        "PUBSUB_EMULATOR_HOST": topic.host,
        **changes,
    }


def invoke(env: dict[str, str], *options: str, name: str = "acme/app") -> Result:
    """Run the command in this process; its output never contains the token."""
    result = CliRunner(env=env).invoke(ops, ["backfill", name, *options], prog_name="issuewire")
    assert TOKEN not in result.output
    assert isinstance(result.exception, SystemExit | None), result.exception
    return result


def start(env: dict[str, str], *options: str, batch: int = 10_000, **arguments: Any) -> subprocess.Popen[str]:
    """Start the command in another process, with the state folder of this one, and `batch` rows a load."""
    passed = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    program = (
        "import pathlib\n"
        "from ops.__main__ import ops\n"
        "from ops.backfill import old_rows, run\n"
        f"old_rows.BATCH_ROWS = {batch}\n"
        f"run.STATE = pathlib.Path({str(run.STATE)!r})\n"
        "ops(prog_name='issuewire')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, "backfill", "acme/app", *options],
        env={**passed, "PYTHONPATH": str(ROOT), **env},
        text=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **arguments},
    )
    STARTED.append(process)
    return process


def wait_for(condition: Callable[[], Any]) -> None:
    """Wait until the condition is true."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition did not become true"
        time.sleep(0.05)


def error_line(result: Result) -> str:
    """Return the last line of a failed command."""
    assert result.exit_code == 1, result.output
    return result.stderr.strip().splitlines()[-1]


def ids(messages: list[Any]) -> list[str]:
    """Return the delivery ids of messages."""
    return [message.attributes["delivery_id"] for message in messages]


def fill(hosted: HostedRepository, issues: int) -> Counter[str]:
    """Add issues with comments and closes, and pull requests; return the deliveries of the issues."""
    delivered: Counter[str] = Counter()

    def record(event: payloads.Event) -> None:
        hosted.record(event)
        delivered[f"{event.name}.{event.payload['action']}"] += 1

    for number in range(1, issues + 1):
        at = NOON + timedelta(minutes=10 * number)
        issue = an_issue(number=number, created_at=at, title=f"Issue {number}")
        record(issue.opened())
        record(issue.commented(MONA, at + timedelta(hours=1), "Looking."))
        record(issue.commented(AUTHOR, at + timedelta(hours=2), "Thanks."))
        if number % 3:
            record(issue.closed(MONA, at + timedelta(days=2)))
        if number % 6 == 1:
            record(issue.reopened(AUTHOR, at + timedelta(days=3)))
    for number in range(issues + 1, issues + 1 + issues // 10):
        pull = an_issue(number=number, created_at=at, is_pull_request=True)
        hosted.record(pull.opened())
        hosted.record(pull.commented(MONA, at, "A review."))
        hosted.record(pull.closed(MONA, at))
    return delivered
