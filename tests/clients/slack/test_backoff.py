"""A channel that refuses for a lasting reason is asked again in growing steps, once for all threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from clients.slack.backoff import Backoff
from clients.slack.client import Slack
from clients.slack.errors import SlackRefused
from clients.slack.webhook import IncomingWebhook
from local.slack.server import SlackServer
from tests.clients.slack.support import ALWAYS, CHANNEL, OTHER, TOKEN, Recorder, a_message, error_of
from tests.support.clock import FakeClock

POST, READ = "chat.postMessage", "conversations.history"


class Asked:
    """What a channel answers; `codes` counts down to ok, and `times` are those of the calls."""

    def __init__(self, clock: FakeClock, code: str = "is_archived") -> None:
        self.clock, self.code, self.times = clock, code, list[float]()
        self.backoff = Backoff(clock)

    def __call__(self, method: str = POST, channel: str = CHANNEL, token: str = TOKEN) -> str:
        """Make a call and return the code that the caller sees, empty if it succeeds."""

        def send() -> None:
            self.times.append(self.clock() - 1_000)
            if self.code and method == POST:
                raise SlackRefused(self.code)

        try:
            self.backoff.run(token, method, channel, send)
        except SlackRefused as error:
            return error.code
        return ""


@pytest.fixture
def asked(clock: FakeClock) -> Asked:
    """Return a channel that is archived, at a clock that starts now."""
    del clock
    return Asked(FakeClock())


def every_second(asked: Asked, seconds: int, act: Callable[[], object]) -> None:
    """Act once a second."""
    for _ in range(seconds):
        act()
        asked.clock.sleep(1)


def test_the_steps_double_up_to_five_minutes(asked: Asked) -> None:
    """An archived channel is asked after 10 s, 20 s and so on, up to five minutes; all calls are refused."""
    every_second(asked, 1_250, lambda: pytest.fail("not refused") if asked() != "is_archived" else None)
    assert asked.times == [0, 10, 30, 70, 150, 310, 610, 910, 1210]


@pytest.mark.parametrize("code", ["is_archived", "token_revoked"])
def test_a_success_ends_the_refusal(asked: Asked, code: str) -> None:
    """The first success ends the refusal, and a later one starts with the first step again."""
    asked.code = code
    every_second(asked, 25, asked)
    asked.code = ""
    every_second(asked, 7, asked)
    assert asked.times == [0, 10, 30, 31]
    asked.code = code
    every_second(asked, 20, asked)
    assert asked.times == [0, 10, 30, 31, 32, 42]


def test_another_token_ends_every_refusal(asked: Asked) -> None:
    """A changed token is tried at once; what a call with the former one learns late does not count."""
    assert asked() == "is_archived"
    asked.code = "token_revoked"
    assert asked(channel=OTHER) == asked(channel="C7") == asked(READ) == "token_revoked"
    assert len(asked.times) == 2
    asked.code = ""
    assert asked(channel="C7", token="xoxb-second") == asked(token="xoxb-second") == ""
    asked.backoff._note(TOKEN, POST, CHANNEL, SlackRefused("token_revoked"))
    assert asked(token="xoxb-second") == ""


def test_a_channel_that_can_be_read_stays_refused(asked: Asked) -> None:
    """An archived channel can be read: only a post into it ends its refusal. No other one is affected."""
    asked()
    asked.clock.sleep(10)
    assert asked(READ) == ""
    assert asked() == "is_archived"
    assert asked(READ) == "is_archived"
    asked.code = ""
    assert asked(channel=OTHER) == ""
    assert asked() == "is_archived"


def test_one_thread_tries_for_all(asked: Asked) -> None:
    """Of many threads only one asks again at a step, with all of its calls; a try without a post ends."""
    asked()
    asked.clock.sleep(10)
    assert asked(READ) == ""
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: asked(), range(8))) == {"is_archived"}
        assert len(asked.times) == 2
        asked.clock.sleep(10)
        assert pool.submit(asked, READ).result() == ""
    assert asked(READ) == "is_archived"


def test_simultaneous_refusals_are_one_step(asked: Asked) -> None:
    """Calls that had begun before the first refusal do not make the step longer."""
    asked()
    for _ in range(8):
        asked.backoff._note(TOKEN, POST, CHANNEL, SlackRefused("is_archived"))
    asked.clock.sleep(10)
    asked()
    assert asked.times == [0, 10]


@pytest.mark.parametrize(
    "code",
    ["fatal_error", "http_503", "invalid_blocks", "message_not_found", "restricted_action_thread_locked"],
)
def test_a_passing_reason_is_tried_again_at_once(asked: Asked, code: str) -> None:
    """An outage, or a refusal that is about one message or thread, does not stop the next call."""
    asked.code = code
    every_second(asked, 3, asked)
    assert asked.times == [0, 1, 2]


# The clients


def test_the_bot_client_makes_no_call_between_the_steps(server: Recorder, slack_server: SlackServer) -> None:
    """A revoked token is one call for all methods and channels, until another one is there."""
    clock, tokens = FakeClock(), [TOKEN]
    client = Slack(lambda: tokens[0], slack_server.url, clock, clock.sleep)
    server.fail_next(1, error="token_revoked")
    first = error_of(lambda: client.post(CHANNEL, a_message()))
    again = [
        error_of(lambda: client.post(OTHER, a_message())),
        error_of(lambda: client.check_post(OTHER)),
        error_of(lambda: list(client.history(CHANNEL, ALWAYS, 1))),
    ]
    assert {(error.reason, str(error)) for error in again} == {(first.reason, str(first))}
    assert len(server.requests) == 1
    clock.sleep(10)
    client.check_post(CHANNEL)
    client.post(CHANNEL, a_message())
    assert len(server.requests) == 2


def test_the_missing_scope_is_named_each_time(server: Recorder, slack_server: SlackServer) -> None:
    """The refusal that is raised without a call names the scope too."""
    client = Slack(lambda: TOKEN, slack_server.url, FakeClock())
    server.fail_next(1, status=200, body='{"ok": false, "error": "missing_scope", "needed": "chat:write"}')
    texts = {str(error_of(lambda: client.post(CHANNEL, a_message()))) for _ in range(2)}
    assert len(server.requests) == 1
    assert len(texts) == 1
    assert "chat:write" in texts.pop()


def test_an_incoming_webhook_makes_no_call_between_the_steps(
    server: Recorder, slack_server: SlackServer
) -> None:
    """A webhook that was removed is asked again in steps, and another URL at once."""
    clock, urls = FakeClock(), [slack_server.webhook_url]
    webhook = IncomingWebhook(lambda: urls[0], clock, clock.sleep)
    server.fail_next(1, status=404, body="no_service")
    reasons = {error_of(lambda: webhook.post(a_message())).reason for _ in range(3)}
    assert reasons == {"slack_no_service"}
    assert len(server.requests) == 1
    urls[0] = slack_server.webhook_for(OTHER)
    webhook.post(a_message())
    assert len(server.requests) == 2
