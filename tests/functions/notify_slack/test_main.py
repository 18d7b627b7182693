"""notify_slack under the real functions framework, against the strict stand-in for Slack."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from ops.send import accounts, payloads
from tests.functions.notify_slack.support import (
    CHANNELS,
    MONA,
    Notifier,
    Post,
    attributes,
    channel_of,
    envelopes,
    lines_since,
    message_of,
    number_of,
    opened,
)
from tests.support.messages import NOON, an_issue, push

# One message, one card


@envelopes
def test_a_repeated_message_makes_one_card(notifier: Notifier, post: Post) -> None:
    """A repeated message is acknowledged and makes no second card; each has a log line with its outcome."""
    delivery_id, before = f"once-{post.__name__}", len(notifier.function.output())
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    body = opened(delivery_id, repository="acme/app", action="opened", traceparent=traceparent)
    body["message"]["attributes"]["repository"] = "acme/app"
    assert [notifier.post(body, post) for _ in range(2)] == [200, 200]
    assert notifier.cards(delivery_id) == ["C1"]
    fields = {
        "delivery_id": delivery_id,
        "event": "issues",
        "action": "opened",
        "repository": "acme/app",
        "issue": number_of(delivery_id),
        "trace": "0af7651916cd43dd8448eb211c80319c",
        "channel": "C1",
        "severity": "INFO",
    }
    posted, again = lines_since(notifier.function, before)
    assert posted.items() >= {**fields, "outcome": "posted", "ts": notifier.slack.messages[-1].ts}.items()
    assert again.items() >= {**fields, "outcome": "already_handled"}.items()


def test_simultaneous_repetitions_make_one_card(notifier: Notifier) -> None:
    """Simultaneous pushes of one message make one card; what cannot wait for it is delivered again."""
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(notifier.post, [opened("together")] * 8))
    assert 200 in statuses
    assert set(statuses) <= {200, 500}
    assert notifier.post(opened("together")) == 200
    assert notifier.cards("together") == [channel_of("together")]


def test_an_issue_has_one_card_with_its_events_in_the_thread(notifier: Notifier) -> None:
    """An issue that is opened, closed and reopened has one card with two replies."""
    issue = an_issue(number=8, repository=accounts.Repository(full_name="acme/app-59"))
    events = [
        issue.opened(),
        issue.closed(MONA, NOON + timedelta(hours=3)),
        issue.reopened(MONA, NOON + timedelta(hours=4)),
    ]
    before = len(notifier.slack.messages)
    for number, event in enumerate(events):
        assert notifier.post(message_of(event, f"life-{number}")) == 200
    assert [message.text for message in notifier.slack.messages[before:]] == [
        "Open issue: acme/app-59#8 Export fails",
        "mona closed this as completed · 3 hours after opening",
        "mona reopened this",
    ]


def test_a_gzipped_body_is_read(notifier: Notifier) -> None:
    """A body that ingest has compressed for its size is read."""
    data = gzip.compress(json.dumps(an_issue().opened().payload).encode())
    assert notifier.post(push(data, attributes("gzip", content_encoding="gzip"))) == 200
    assert notifier.cards("gzip") == ["C1"]


def test_log_lines_of_simultaneous_deliveries_do_not_mix(notifier: Notifier) -> None:
    """Each log line names its own delivery and issue, also with thirty deliveries in eight threads."""
    before = len(notifier.function.output())
    bodies = [
        message_of(
            an_issue(
                number=number, title=f"t{number}", repository=accounts.Repository(full_name=name)
            ).opened(),
            f"apart-{number}",
        )
        for number, name in zip(range(100, 130), CHANNELS, strict=False)
    ]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(notifier.post, bodies)) == [200] * 30
    lines = lines_since(notifier.function, before)
    assert sorted(line["issue"] for line in lines) == list(range(100, 130))
    assert all(line["delivery_id"] == f"apart-{line['issue']}" for line in lines)
    posted = {message.ts: message.text for message in notifier.slack.messages}
    assert all(posted[line["ts"]].endswith(f"t{line['issue']}") for line in lines)


# Events that are not shown


def test_an_event_that_is_not_shown_is_acknowledged(notifier: Notifier) -> None:
    """Pull requests, other events, history and unrouted repositories are acknowledged without a call."""
    issue, calls = an_issue(), len(notifier.slack.requests)
    pull = an_issue(is_pull_request=True)
    not_shown = [
        message_of(pull.commented(MONA, NOON, "x"), "silent-1"),
        message_of(pull.opened(), "silent-2"),
        push(json.dumps(issue.opened().payload).encode(), attributes("silent-3", "sub_issues")),
        message_of(payloads.ping(issue.repository, MONA), "silent-4"),
        opened("silent-5", source="backfill"),
        opened("silent-6", repository="other/app"),
    ]
    before = len(notifier.function.output())
    assert [notifier.post(body) for body in not_shown] == [200] * len(not_shown)
    assert len(notifier.slack.requests) == calls
    lines = lines_since(notifier.function, before)
    assert [line["outcome"] for line in lines] == ["not_shown"] * 6
    assert [line.get("issue") for line in lines] == [
        7,
        7,
        7,
        None,
        number_of("silent-5"),
        number_of("silent-6"),
    ]
    assert [line["why"] for line in lines[1::2]] == [
        "no card is made of a pull request",
        "no card is made of 'ping', only of issues and their comments",
        "no route names the repository",
    ]


@envelopes
def test_a_replay_reaches_the_subscription_it_names(notifier: Notifier, post: Post) -> None:
    """A replay that names another subscription makes no card; one that names this one does."""
    theirs, ours = f"only-theirs-{post.__name__}", f"only-ours-{post.__name__}"
    before = len(notifier.function.output())
    assert notifier.post(opened(theirs, source="replay", only="stream-bq"), post) == 200
    [line] = lines_since(notifier.function, before)
    assert (line["severity"], line["reason"]) == ("INFO", "meant_for_another")
    assert notifier.cards(theirs) == []
    assert notifier.post(opened(ours, source="replay", only="notify-slack"), post) == 200
    assert notifier.cards(ours) == [channel_of(ours)]


def test_a_bots_issue_makes_no_card_and_the_log_says_why(notifier: Notifier) -> None:
    """An issue of a bot makes no card by default; the log has the reason."""
    bot = accounts.Account(login="dependabot[bot]", type="Bot")
    before, calls = len(notifier.function.output()), len(notifier.slack.requests)
    assert notifier.post(message_of(an_issue(author=bot).opened(), "muted-1")) == 200
    assert len(notifier.slack.requests) == calls
    [line] = lines_since(notifier.function, before)
    assert (line["severity"], line["outcome"]) == ("INFO", "not_shown")
    assert line["why"] == "everything: the author 'dependabot[bot]' is muted by *[bot]"


def test_a_bots_close_updates_a_card_and_makes_none(notifier: Notifier) -> None:
    """A close by a muted sender makes no card; it updates the card that is there and adds no reply."""
    bot = accounts.Account(login="Copilot", type="Bot")
    before = len(notifier.function.output())
    issue = an_issue(number=12)
    assert notifier.post(message_of(issue.closed(bot, NOON), "muted-2")) == 200
    assert notifier.cards("muted-2") == []
    assert notifier.post(message_of(issue.reopened(MONA, NOON), "muted-3")) == 200
    assert notifier.post(message_of(issue.closed(bot, NOON + timedelta(hours=1)), "muted-4")) == 200
    assert notifier.cards("muted-4") == ["C1"]
    lines = lines_since(notifier.function, before)
    assert [line["outcome"] for line in lines] == ["no_card", "posted", "updated"]
    assert lines[-1]["replied"] is False


def test_an_author_named_bob_is_not_muted(notifier: Notifier) -> None:
    """An author named bob is not muted by *[bot], whose brackets are literal."""
    assert notifier.post(message_of(an_issue(author=accounts.Account(login="bob")).opened(), "bob")) == 200
    assert notifier.cards("bob") == ["C1"]


# Incoming webhooks


def test_an_incoming_webhook_posts_lines(notifier: Notifier) -> None:
    """With an incoming webhook, opened, closed and reopened have one line each; other events have none."""
    notifier.token_file.write_text(notifier.slack.webhook_url)
    issue = an_issue(number=9, labels=["bug"])
    events = [
        issue.opened(),
        issue.labeled(MONA, NOON, "ui"),
        issue.commented(MONA, NOON, "x"),
        issue.closed(MONA, NOON + timedelta(hours=3)),
    ]
    before = len(notifier.slack.requests)
    for number, event in enumerate([*events, *events]):
        assert notifier.post(message_of(event, f"line-{number % 4}")) == 200
    calls = notifier.slack.requests[before:]
    assert [method for method, _ in calls] == ["webhook", "webhook"]
    assert [len(arguments["blocks"]) for _, arguments in calls] == [1, 1]
    assert calls[1][1]["blocks"][0]["text"]["text"] == (
        ":white_check_mark: *acme/app#9* <https://github.com/acme/app/issues/9|Export fails>"
        " · octavia, <!date^1767614400^{date_short_pretty}|2026-01-05> · `bug` `ui`"
        " · closed as completed by mona · 3 hours after opening"
    )


def test_an_incoming_webhook_posts_a_close_unless_every_route_mutes_its_sender(
    notifier: Notifier,
) -> None:
    """A close has a line unless every route mutes its sender; a thread's replies follow the same rule."""
    notifier.token_file.write_text(notifier.slack.webhook_url)
    bot = accounts.Account(login="dependabot[bot]", type="Bot")
    before, written = len(notifier.slack.messages), len(notifier.function.output())
    for name in ("app", "bots"):
        issue = an_issue(repository=accounts.Repository(full_name=f"acme/{name}"))
        assert notifier.post(message_of(issue.closed(bot, NOON), f"bot-{name}")) == 200
    assert [message.text for message in notifier.slack.messages[before:]] == [
        "Closed as completed: acme/bots#7 Export fails"
    ]
    muted, _ = lines_since(notifier.function, written)
    assert muted["why"].endswith("closed and reopened, unless every route mutes the sender")
