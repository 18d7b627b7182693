"""Under the real functions framework, a busy channel delays no other channel."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from clients.slack.rate_limit import BURST
from local.slack.server import SlackServer
from ops.send import accounts
from tests.functions.notify_slack.support import MONA, TOKEN, Notifier, message_of, opened
from tests.support.framework import function
from tests.support.messages import an_issue

SPEED = 10  # everything that waits takes a tenth of its time
COMMENTS = 60
BACKOFF = 10.0 / SPEED  # between two deliveries of one message, as Pub/Sub is set up
ATTEMPTS = 60  # before a test gives up
THREADS = 8  # as deployed
MAIN = f"""
from clients.slack import rate_limit, waiting

rate_limit.SECONDS_PER_POST /= {SPEED}
waiting.SECONDS /= {SPEED}
from functions.notify_slack.main import notify_slack
"""


@pytest.fixture
def fast(tmp_path: Path) -> Iterator[Notifier]:
    """Run the function and its Slack, whose waits take a tenth of their time."""
    (tmp_path / "main.py").write_text(MAIN)
    (tmp_path / "token").write_text(TOKEN)
    routes = [f'[[route]]\nchannels = ["{id_}"]\nrepositories = ["acme/{id_}"]\n' for id_ in ("C1", "C2")]
    (tmp_path / "routes.toml").write_text("".join(routes))
    channels, start = {"C1": "busy", "C2": "quiet"}, time.time()

    def clock() -> float:
        return start + (time.time() - start) * SPEED

    with SlackServer(channels=channels, token=TOKEN, burst=BURST, clock=clock) as slack:
        environment = {
            "SLACK_TOKEN_FILE": str(tmp_path / "token"),
            "SLACK_API_URL": slack.url,
            "ROUTES_FILE": str(tmp_path / "routes.toml"),
            "THREADS": str(THREADS),
        }
        with function("notify_slack", tmp_path, environment, source=tmp_path / "main.py") as up:
            yield Notifier(function=up, slack=slack, token_file=tmp_path / "token")


def comments() -> list[dict[str, Any]]:
    """Return the push bodies of comments on one issue, a second apart."""
    now = datetime.now(UTC).replace(microsecond=0)
    issue = an_issue(repository=accounts.Repository(full_name="acme/C1"), created_at=now)
    times = [now + timedelta(seconds=number) for number in range(COMMENTS)]
    return [
        message_of(issue.commented(MONA, at, f"comment {number}"), f"comment-{number}")
        for number, at in enumerate(times)
    ]


def deliver(notifier: Notifier, body: dict[str, Any]) -> int:
    """Push the message until it is acknowledged, and return after how many attempts."""
    for attempt in range(1, ATTEMPTS + 1):
        if notifier.post(body) == 200:
            return attempt
        time.sleep(BACKOFF)
    raise AssertionError(notifier.function.output()[-3000:])


def test_sixty_comments_in_a_channel_do_not_delay_a_card_in_another(fast: Notifier) -> None:
    """A new issue elsewhere has its card at once, while most comments still wait; all are shown once.

    A comment that has to wait reads nothing before it is its turn, and is no error to an operator.
    """
    with ThreadPoolExecutor(COMMENTS) as pool:
        waiting = [pool.submit(deliver, fast, body) for body in comments()]
        assert deliver(fast, opened("elsewhere", "acme/C2")) == 1
        assert len([message for message in fast.slack.messages if message.thread_ts]) < COMMENTS / 2
        assert sum(each.result() for each in waiting) > COMMENTS
    assert fast.cards("elsewhere") == ["C2"]
    replies = Counter(message.text for message in fast.slack.messages if message.thread_ts)
    assert replies == {f"mona commented: comment {number}": 1 for number in range(COMMENTS)}
    assert fast.slack.over_limit == []
    assert {line["severity"] for line in fast.function.log_lines()} == {"INFO", "WARNING"}
    methods = Counter(method for method, arguments in fast.slack.requests if arguments["channel"] == "C1")
    assert methods["conversations.history"] < 1.5 * COMMENTS
