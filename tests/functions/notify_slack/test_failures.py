"""Under the real functions framework, a failure of Slack is retried by Pub/Sub, and a call ends in time."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from clients.slack.rate_limit import TIMEOUT_SECONDS
from local.slack.server import SlackServer
from tests.functions.notify_slack.support import (
    TOKEN,
    Notifier,
    Post,
    channel_of,
    envelopes,
    lines_since,
    number_of,
    opened,
    repository_of,
)
from tests.support.framework import function

ROOT = Path(__file__).parents[3]


@envelopes
@pytest.mark.parametrize(
    ("fault", "reason", "cause"),
    [
        ({"status": 500}, "slack_internal_error", "SlackApiError"),
        ({"status": 503, "body": "<html>down</html>"}, "slack_http_503", "SlackApiError"),
        ({"drop": True}, "slack_unreachable", "RemoteDisconnected"),
        ({"error": "update_failed"}, "slack_update_failed", "Slack has a problem"),
    ],
)
def test_a_failure_is_a_500_with_its_reason_and_the_redelivery_succeeds(
    notifier: Notifier, post: Post, fault: dict[str, Any], reason: str, cause: str
) -> None:
    """A failed call is answered with 500 and its reason; the redelivered message makes its card."""
    delivery_id, before = f"{post.__name__}-{reason}", len(notifier.function.output())
    notifier.slack.fail_next(1, **fault)
    assert notifier.post(opened(delivery_id), post) == 500
    assert notifier.cards(delivery_id) == []
    last = lines_since(notifier.function, before)[-1]
    assert (last["severity"], last["reason"], last["delivery_id"]) == ("ERROR", reason, delivery_id)
    assert cause in last["message"]
    assert notifier.post(opened(delivery_id), post) == 200
    assert notifier.cards(delivery_id) == [channel_of(delivery_id)]


def test_a_channel_that_refuses_does_not_stop_the_others(notifier: Notifier) -> None:
    """If one channel refuses, the other has its card; a redelivery asks only the one that refused."""
    notifier.slack.fail_next(1, error="fatal_error")
    before = len(notifier.function.output())
    assert notifier.post(opened("partly", "acme/both")) == 500
    assert notifier.cards("partly") == ["C2"]
    refused, posted, raised = lines_since(notifier.function, before)
    assert (refused["severity"], refused["channel"], refused["reason"]) == (
        "WARNING",
        "C1",
        "slack_fatal_error",
    )
    assert (posted["outcome"], posted["channel"]) == ("posted", "C2")
    assert (raised["severity"], raised["reason"]) == ("ERROR", "slack_fatal_error")
    calls = len(notifier.slack.requests)
    assert notifier.post(opened("partly", "acme/both")) == 200
    assert notifier.cards("partly") == ["C2", "C1"]
    assert {arguments["channel"] for _, arguments in notifier.slack.requests[calls:]} == {"C1"}


def test_of_several_refusals_the_first_is_raised(notifier: Notifier) -> None:
    """If several channels refuse, each is logged, and the delivery is counted under the first reason."""
    for code in ("fatal_error", "internal_error"):
        notifier.slack.fail_next(1, error=code)
    before = len(notifier.function.output())
    assert notifier.post(opened("refused", "acme/both")) == 500
    assert [(line["severity"], line["reason"]) for line in lines_since(notifier.function, before)] == [
        ("WARNING", "slack_fatal_error"),
        ("WARNING", "slack_internal_error"),
        ("ERROR", "slack_fatal_error"),
    ]


def test_a_malformed_answer_does_not_stop_other_channels(notifier: Notifier) -> None:
    """An answer that is not a JSON object fails its channel only."""
    notifier.slack.fail_next(1, status=200, body='["ok"]')
    assert notifier.post(opened("senseless", "acme/both")) == 500
    assert notifier.cards("senseless") == ["C2"]


def test_a_card_that_slack_calls_invalid_is_posted_as_text(notifier: Notifier) -> None:
    """A card that Slack calls invalid is posted as text and acknowledged, with an ERROR line."""
    notifier.slack.fail_next(1, error="invalid_blocks", method="chat.postMessage")
    before = len(notifier.function.output())
    assert notifier.post(opened("plain")) == 200
    assert notifier.slack.messages[-1].text == (
        f"New issue: {repository_of('plain')}#{number_of('plain')} Export fails"
    )
    assert [(line["severity"], line.get("reason")) for line in lines_since(notifier.function, before)] == [
        ("ERROR", "invalid_blocks"),
        ("INFO", None),
    ]


def test_a_revoked_token_is_asked_once_and_a_new_one_at_once(notifier: Notifier) -> None:
    """Deliveries to any channel are refused without a call, each with its reason, until the token changes."""
    calls, before = len(notifier.slack.requests), len(notifier.function.output())
    notifier.slack.fail_next(1, error="token_revoked")
    assert [notifier.post(opened(f"revoked-{number}")) for number in range(3)] == [500] * 3
    assert len(notifier.slack.requests) == calls + 1
    raised = [line for line in lines_since(notifier.function, before) if line["severity"] == "ERROR"]
    assert [line["reason"] for line in raised] == ["slack_token_revoked"] * 3
    assert all("install the app again" in line["message"] for line in raised)
    notifier.slack.token = "xoxb-second"
    notifier.token_file.write_text("xoxb-second")
    assert [notifier.post(opened(f"revoked-{number}")) for number in range(3)] == [200] * 3
    notifier.slack.token = TOKEN
    notifier.token_file.write_text(TOKEN)


def test_a_running_function_uses_a_rotated_token(notifier: Notifier) -> None:
    """An empty token file is a 500 that names the setting; the next message uses the file's new content."""
    calls, before = len(notifier.slack.requests), len(notifier.function.output())
    notifier.token_file.write_text("\n")
    assert notifier.post(opened("rotated-1")) == 500
    assert len(notifier.slack.requests) == calls
    [line] = lines_since(notifier.function, before)
    assert line["reason"] == "slack_token_blank"
    assert "SLACK_TOKEN_FILE is empty" in line["message"]
    notifier.token_file.write_text(f"{TOKEN}\nxoxb-second\n")
    assert notifier.post(opened("rotated-1")) == 500
    notifier.token_file.write_text(f"  {TOKEN}\n")
    assert notifier.post(opened("rotated-1")) == 200
    assert notifier.cards("rotated-1") == [channel_of("rotated-1")]
    notifier.token_file.write_text(notifier.slack.webhook_url)
    assert [notifier.post(opened("rotated-2", "acme/both")) for _ in range(2)] == [200, 200]
    assert [message.via for message in notifier.slack.messages[-2:]] == ["api", "webhook"]


# A slow Slack and many channels

SIX = [f"C3{number:02}" for number in range(6)]
SHORT = """
from functions.notify_slack import main

main.DELIVERY_SECONDS = 2.5
notify_slack = main.notify_slack
"""


@pytest.fixture
def six(tmp_path: Path) -> Iterator[Notifier]:
    """Run the function with six channels for each delivery, and two and a half seconds for all of them."""
    (tmp_path / "main.py").write_text(SHORT)
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "routes.toml").write_text(f'[[route]]\nname = "six"\nchannels = {SIX}\n')
    with SlackServer(channels=dict.fromkeys(SIX, "issues"), token=TOKEN) as slack:
        environment = {
            "SLACK_TOKEN_FILE": str(tmp_path / "token"),
            "SLACK_API_URL": slack.url,
            "ROUTES_FILE": str(tmp_path / "routes.toml"),
        }
        with function("notify_slack", tmp_path, environment, source=tmp_path / "main.py") as up:
            yield Notifier(function=up, slack=slack, token_file=tmp_path / "token")


def test_channels_that_hang_end_with_the_deadline(six: Notifier) -> None:
    """If the first channel uses up the time, the others fail at once; the redelivery succeeds."""
    six.slack.fail_until_cleared(hang=60.0)
    assert six.post(opened("slow")) == 500
    reasons = [(line["channel"], line["reason"]) for line in six.function.log_lines() if "channel" in line]
    assert reasons == [(SIX[0], "slack_unreachable"), *((channel, "slack_deadline") for channel in SIX[1:])]
    assert len(six.slack.requests) == 1
    six.slack.clear_faults()
    assert six.post(opened("slow")) == 200
    assert six.cards("slow") == SIX


def test_a_rate_limit_stops_all_calls(six: Notifier) -> None:
    """While Slack limits the rate, forty deliveries for six channels make one call; each one is logged."""
    six.slack.fail_until_cleared(status=429, headers={"Retry-After": "30"})
    assert six.post(opened("storm")) == 500
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(six.post, [opened(f"storm-{number}") for number in range(39)])) == {500}
    assert len(six.slack.requests) == 1
    lines = six.function.log_lines()
    refused = [line["channel"] for line in lines if line["message"].startswith("The channel was not updated")]
    assert sorted(refused) == sorted(SIX * 40)
    assert {line["reason"] for line in lines} == {"slack_ratelimited"}


def test_a_delivery_ends_before_cloud_run_ends_it() -> None:
    """A delivery ends before Cloud Run's timeout, even if its last call takes its timeout three times."""
    main = (ROOT / "functions" / "notify_slack" / "main.py").read_text()
    [seconds] = re.findall(r"^DELIVERY_SECONDS = ([0-9.]+)$", main, re.MULTILINE)
    deployed = (ROOT / "deploy" / "functions" / "notify_slack.sh").read_text()
    [ends] = re.findall(r"--timeout=([0-9]+)s", deployed)
    assert float(seconds) + 3 * TIMEOUT_SECONDS <= float(ends)
