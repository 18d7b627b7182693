"""The local Slack's rate limits."""

from local.slack.server import SlackServer
from tests.support.clock import FakeClock
from tests.support.slack_clients import CHANNEL, CHANNELS, FOREIGN, OLD, client, error_of


def test_posts_past_the_burst_are_limited_and_early_ones_recorded():
    """After three at once, one post a second passes; a post during the pause is over the limit."""
    clock = FakeClock()
    with SlackServer(channels=CHANNELS, burst=3, clock=clock) as slack:
        post = client(slack).chat_postMessage
        for _ in range(3):
            post(channel=CHANNEL, text="a")
        limited = error_of(post, channel=CHANNEL, text="a")
        assert (limited.status_code, limited["error"]) == (429, "ratelimited")
        assert limited.headers["Retry-After"] == "1"
        assert slack.over_limit == []
        assert post(channel=OLD, text="a")["ok"]
        error_of(post, channel=CHANNEL, text="a")
        assert slack.over_limit == [("chat.postMessage", CHANNEL)]
        clock.sleep(1)
        assert post(channel=CHANNEL, text="a")["ok"]
        assert len(slack.messages) == 5
        assert len(slack.over_limit) == 1


def test_a_queued_429_asks_for_a_pause_too(slack):
    """Its Retry-After counts per method, and only for posts per channel too."""
    slack.fail_next(status=429, headers={"Retry-After": "30"}, method="conversations.history")
    history = client(slack).conversations_history
    error_of(history, channel=CHANNEL)
    client(slack).chat_postMessage(channel=CHANNEL, text="a")
    assert slack.over_limit == []
    error_of(history, channel=FOREIGN)
    assert slack.over_limit == [("conversations.history", "")]
