"""Bursts of new issues share one message, against the strict stand-in for Slack."""

import itertools
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.slack.blocks import Message
from clients.slack.client import TimeRange, to_ts
from functions.notify_slack.cards import burst_message, card, thread_reply
from functions.notify_slack.routing.eligibility import CardEvent
from functions.notify_slack.routing.routes import Destination
from functions.notify_slack.store import channel_history
from local.slack.rules.arguments import MAX_BLOCKS_TEXT
from ops.send import accounts, payloads
from pipeline.errors import Unavailable
from tests.functions.notify_slack.store.support import bursts, cards, linked
from tests.support.workspace import MONA, Channel, Fault, Workspace

LIMIT = 5
SECOND = timedelta(seconds=1)


@pytest.fixture
def channel(workspace: Workspace) -> Channel:
    """Return an empty channel that allows five new issues a minute."""
    return workspace.channel(fold_over=LIMIT)


def history(channel: Channel) -> list[dict[str, Any]]:
    """Return the messages that the channel's history shows."""
    time_range = TimeRange(oldest="0.000000", latest=to_ts(channel.clock.now + timedelta(minutes=1)))
    return [
        message for page in channel.another().slack.history(channel.id, time_range, 1) for message in page
    ]


def opened(channel: Channel, number: int, **changes: Any) -> CardEvent:
    """Return the event of an issue that is opened now."""
    return channel.receive(channel.issue(number=number, **changes).opened())


def open_issues(channel: Channel, count: int, every: timedelta = SECOND) -> list[payloads.Issue]:
    """Open `count` issues, one after the other, and return them."""
    issues = []
    for number in range(1, count + 1):
        issue = channel.issue(number=number)
        channel.handle(channel.receive(issue.opened()))
        channel.clock.pass_until(channel.clock.now + every)
        issues.append(issue)
    return issues


def test_new_issues_over_the_limit_share_one_message(channel: Channel) -> None:
    """An import of thirty issues makes five cards and one message with links to the other issues."""
    open_issues(channel, 30)
    [burst] = bursts(channel)
    assert burst.text == "25 more issues at once"
    assert linked(*cards(channel)) == [1, 2, 3, 4, 5]
    assert linked(burst) == list(range(6, 31))
    assert not channel.replies


def test_as_many_issues_as_the_limit_have_a_card_each(channel: Channel) -> None:
    """As many issues as the limit have a card each."""
    open_issues(channel, LIMIT)
    assert len(cards(channel)) == LIMIT
    assert not bursts(channel)


def test_simultaneous_issues_have_no_more_cards_than_the_limit(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cards that other threads are about to post count towards the limit."""
    events = [opened(channel, number) for number in range(1, 9)]
    channel.clock.pass_until(events[-1].received.received_at)
    together, scan, scans = threading.Barrier(8), channel_history.scan, itertools.count()

    def scan_together(*arguments: Any) -> channel_history.ChannelSnapshot:
        snapshot = scan(*arguments)
        if next(scans) < 8:
            together.wait(10)
        return snapshot

    monkeypatch.setattr(channel_history, "scan", scan_together)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(channel.handle, events))
    [burst] = bursts(channel)
    assert len(cards(channel)) == LIMIT
    assert sorted(linked(burst, *cards(channel))) == list(range(1, 9))


def test_an_issue_that_could_not_be_posted_does_not_count(channel: Channel) -> None:
    """An issue that could not be posted does not count: after an outage the limit is not used up."""
    events = [opened(channel, number) for number in range(1, LIMIT + 2)]
    channel.server.fail_next(len(events), error="fatal_error", method="chat.postMessage")
    for event in events:
        with pytest.raises(Unavailable):
            channel.handle(event)
    for event in events:
        channel.handle(event)
    assert len(cards(channel)) == LIMIT


def test_slow_issues_are_no_burst(channel: Channel) -> None:
    """Five issues a minute are no burst, for any length of time."""
    open_issues(channel, 20, every=timedelta(seconds=13))
    assert len(cards(channel)) == 20


def test_zero_turns_burst_messages_off(workspace: Workspace) -> None:
    """With fold_over = 0 every issue has its card."""
    channel = workspace.channel(fold_over=0)
    open_issues(channel, 30)
    assert len(cards(channel)) == 30


def test_a_burst_ends_a_minute_after_its_last_issue(channel: Channel) -> None:
    """A burst lasts until a minute passes without a new issue; then an issue has a card again."""
    open_issues(channel, 130)
    assert len(cards(channel)) == LIMIT
    assert linked(*bursts(channel)) == list(range(LIMIT + 1, 131))
    channel.clock.pass_until(channel.clock.now + timedelta(minutes=2))
    channel.handle(opened(channel, 900))
    assert linked(cards(channel)[-1]) == [900]


def test_a_burst_message_accepts_issues_for_ten_minutes(workspace: Workspace) -> None:
    """A burst message accepts issues for ten minutes, and is then followed by another."""
    channel = workspace.channel(fold_over=1)
    issues = open_issues(channel, 20, every=50 * SECOND)
    first, second = bursts(channel)
    assert linked(first, second) == list(range(2, 21))
    assert len(linked(first)) == 12
    late = channel.receive(issues[12].labeled(MONA, channel.clock.now, "imported"))
    channel.clock.pass_until(channel.clock.now + timedelta(minutes=10))
    assert channel.handle(late).outcome == "already_folded"
    assert [linked(message) for message in cards(channel)] == [[1]]


def test_a_burst_message_stays_within_slacks_limits(channel: Channel) -> None:
    """A full burst message is followed by another, and no issue is omitted, with titles of any length."""
    repository = accounts.Repository(full_name=f"{'o' * 39}/{'r' * 100}")
    for number in range(1, 101):
        channel.handle(opened(channel, number, title="& <!here> " * 30, repository=repository))
    assert linked(*cards(channel), *bursts(channel)) == list(range(1, 101))
    assert len(bursts(channel)) > 1
    for burst in bursts(channel):
        texts = [block["text"]["text"] for block in burst.blocks]
        assert max(map(len, texts)) <= 3_000
        assert sum(map(len, texts)) <= MAX_BLOCKS_TEXT


def test_only_the_first_issue_of_a_burst_message_mentions_people(channel: Channel) -> None:
    """Only the first issue of a burst message mentions people: thirty issues notify six times."""
    for number in range(1, 31):
        channel.handle(opened(channel, number), mention=("U0AAAAAAA", "S0BBBBBBB"))
    posts = [
        str(arguments["blocks"])
        for method, arguments in channel.server.requests
        if method == "chat.postMessage" and arguments["channel"] == channel.id
    ]
    assert [text.count("<@U0AAAAAAA>") for text in posts] == [1] * (LIMIT + 1)
    assert [text.count("<!subteam^S0BBBBBBB>") for text in posts] == [1] * (LIMIT + 1)


def test_an_issue_that_leaves_the_route_joins_no_burst_message(channel: Channel) -> None:
    """A label that takes an issue out of the channel adds nothing there, also during a burst."""
    open_issues(channel, 10)
    issue = channel.issue(number=77)
    assert (
        channel.handle(
            channel.receive(issue.labeled(MONA, channel.clock.now, "wontfix")), final_update=True
        ).ts
        == ""
    )
    assert linked(*bursts(channel)) == [6, 7, 8, 9, 10]


def test_an_issue_in_a_burst_takes_two_calls(channel: Channel) -> None:
    """An issue in a burst takes a look-up and an update."""
    open_issues(channel, LIMIT + 1)
    calls = channel.calls(lambda: channel.handle(opened(channel, 50)))
    assert Counter(calls) == {"conversations.history": 1, "chat.update": 1}


def test_a_burst_message_takes_issues_while_the_channel_takes_no_post(channel: Channel) -> None:
    """During a burst, new issues need no post, so they do not wait for their second."""
    open_issues(channel, LIMIT + 1)
    channel.slack._rate_limit.pause("chat.postMessage", channel.id, 60)
    assert channel.handle(opened(channel, 50), mention=("U0AAAAAAA",)).outcome == "folded"


# Later events of the issues


def test_the_labels_of_an_issue_in_a_burst_make_no_card(channel: Channel) -> None:
    """A label on an issue in a burst makes no card, even minutes later."""
    issues = open_issues(channel, 10)
    for wait in (timedelta(0), timedelta(minutes=5)):
        channel.clock.pass_until(channel.clock.now + wait)
        outcomes = [
            channel.handle(channel.receive(issue.labeled(MONA, channel.clock.now, f"imported {wait}")))
            for issue in issues
        ]
        assert [outcome.outcome for outcome in outcomes] == ["updated"] * LIMIT + ["already_folded"] * 5
    assert len(channel.cards) == LIMIT + 1


def test_a_comment_during_a_burst_is_a_reply_to_the_burst_message(channel: Channel) -> None:
    """A comment during a burst is posted once in the burst message's thread and names its issue."""
    issue = open_issues(channel, 10)[-1]
    event = channel.receive(issue.commented(MONA, channel.clock.now, "me too"))
    outcomes = [channel.handle(event), channel.handle(event)]
    assert [outcome.outcome for outcome in outcomes] == ["already_folded"] * 2
    assert [outcome.replied for outcome in outcomes] == [True, False]
    assert [(reply.text, reply.thread_ts) for reply in channel.replies] == [
        ("acme/app#10: mona commented: me too", bursts(channel)[0].ts)
    ]


def test_a_close_after_a_burst_makes_a_card(channel: Channel) -> None:
    """A close after a burst makes a card of the current state, with the reply in its thread."""
    issue = open_issues(channel, 10)[-1]
    channel.clock.pass_until(channel.clock.now + timedelta(days=1))
    outcome = channel.handle(channel.receive(issue.closed(MONA, channel.clock.now)))
    assert outcome.outcome == "posted"
    assert linked(cards(channel)[-1]) == [10]
    assert [reply.thread_ts for reply in channel.replies] == [outcome.ts]
    assert channel.handle(channel.receive(issue.reopened(MONA, channel.clock.now))).outcome == "updated"


def test_a_redelivered_comment_of_a_burst_makes_no_card(channel: Channel) -> None:
    """A redelivered comment makes no card, because its reply is found in the burst message's thread."""
    issue = open_issues(channel, 10)[-1]
    event = channel.receive(issue.commented(MONA, channel.clock.now, "me too"))
    channel.handle(event)
    channel.clock.pass_until(channel.clock.now + timedelta(hours=1))
    assert channel.handle(event).outcome == "already_folded"
    assert len(channel.cards) == LIMIT + 1
    assert len(channel.replies) == 1


def test_a_reply_to_a_burst_message_is_not_repeated_in_a_cards_thread(channel: Channel) -> None:
    """A redelivery finds the reply in the burst message's thread after the issue got its own card."""
    issue = open_issues(channel, 10)[-1]
    commented = channel.receive(issue.commented(MONA, channel.clock.now, "me too"))
    channel.handle(commented)
    channel.clock.pass_until(channel.clock.now + timedelta(hours=1))
    assert channel.handle(channel.receive(issue.closed(MONA, channel.clock.now))).outcome == "posted"
    assert not channel.handle(commented).replied
    assert [reply.text for reply in channel.replies].count("mona commented: me too") == 0
    assert len(channel.replies) == 2


def test_an_older_event_after_a_burst_makes_no_card(channel: Channel) -> None:
    """A close that comes after the reopening was told in a burst message's thread is told there, too.

    A card of it would show the issue closed. The next news makes the card.
    """
    issue = open_issues(channel, 10)[-1]
    closed = channel.receive(issue.closed(MONA, channel.clock.now))
    reopened = channel.receive(issue.reopened(MONA, channel.clock.now + SECOND))
    channel.handle(reopened)
    channel.clock.pass_until(channel.clock.now + timedelta(minutes=5))
    outcomes = [channel.handle(closed) for _ in range(2)]
    assert [(each.outcome, each.replied) for each in outcomes] == [
        ("already_folded", True),
        ("already_folded", False),
    ]
    assert len(channel.cards) == LIMIT + 1
    later = channel.clock.now
    assert channel.handle(channel.receive(issue.commented(MONA, later, "again"))).outcome == "posted"


def test_a_late_event_of_a_listed_issue_makes_no_card(channel: Channel) -> None:
    """An event that GitHub delivers late is told in the thread: a later label is in no message."""
    issue = open_issues(channel, 10)[-1]
    closed = issue.closed(MONA, channel.clock.now)
    channel.handle(channel.receive(issue.labeled(MONA, channel.clock.now + SECOND, "bug")))
    channel.clock.pass_until(channel.clock.now + timedelta(hours=1))
    result = channel.handle(channel.receive(closed))
    assert (result.outcome, result.replied) == ("already_folded", True)
    assert len(channel.cards) == LIMIT + 1


# Any order

news = st.lists(st.sampled_from(["labeled", "commented", "closed"]), max_size=2, unique=True)
pauses = st.sampled_from([timedelta(0), SECOND, 3 * SECOND, 3 * SECOND, 70 * SECOND])
faults = st.none() | st.builds(
    Fault, kind=st.sampled_from(["crash", "answer_lost", "request_lost", "refused"]), call=st.integers(1, 8)
)


def deliveries(channel: Channel, number: int, steps: list[str]) -> list[CardEvent]:
    """Return the events of an issue that is opened now, a second apart."""
    issue, at = channel.issue(number=number), channel.clock.now
    happened = [issue.opened()]
    for step in steps:
        at += SECOND
        acts = {
            "labeled": lambda at: issue.labeled(MONA, at, "bug"),
            "commented": lambda at: issue.commented(MONA, at, "me too"),
            "closed": lambda at: issue.closed(MONA, at),
        }
        happened.append(acts[step](at))
    return [channel.receive(event) for event in happened]


@settings(derandomize=True, database=None, deadline=None, max_examples=25)
@given(st.data())
def test_any_order_of_deliveries_in_a_burst_shows_each_issue_and_reply_once(
    workspace: Workspace, data: st.DataObject
) -> None:
    """In any order of deliveries, with duplicates and crashes, each issue and reply of a burst is shown once.

    An issue with events after the burst has a link in the burst message and a card of its own.
    """
    channel = workspace.channel(fold_over=LIMIT)
    destination = Destination(channel=channel.id)
    events_of = {number: deliveries(channel, number, data.draw(news)) for number in range(1, 13)}
    events = [event for delivered in events_of.values() for event in delivered]
    repeated = data.draw(st.lists(st.sampled_from(events), max_size=6))
    waiting = data.draw(st.permutations([*events, *repeated]))
    attempts = 0
    while waiting:
        attempts += 1
        fault = data.draw(faults) if attempts <= 30 else None
        event = waiting.pop(0)
        if not channel.attempt(event, [destination], fault):
            waiting.append(event)
        channel.clock.pass_until(channel.clock.now + data.draw(pauses))
    carded, listed = Counter(linked(*cards(channel))), Counter(linked(*bursts(channel)))
    assert set((carded + listed).values()) <= {1, 2}
    assert carded.keys() | listed.keys() == events_of.keys()
    assert {*carded.values(), *listed.values()} == {1}
    for burst in bursts(channel):
        assert burst.text.split()[0] == str(len(linked(burst)))
    replied = Counter(
        message.metadata["event_payload"]["delivery_id"] for message in channel.replies if message.metadata
    )
    expected = [event for event in events if thread_reply.build(event, destination)]
    assert replied == Counter(event.delivery_id for event in expected)
    for number in carded.keys() - listed.keys():
        newest = max(events_of[number], key=lambda event: event.shown_at)
        [message] = [each for each in cards(channel) if linked(each) == [number]]
        assert message.text == card.build(newest, destination).text


# The burst message in the channel


def test_a_burst_message_that_is_removed_during_its_update_is_started_again(channel: Channel) -> None:
    """An issue whose burst message is removed during the update is in a new burst message."""
    open_issues(channel, LIMIT + 1)
    [burst] = bursts(channel)
    channel.slack.calls = 0
    channel.slack.before = {2: lambda: channel.another().slack.delete(channel.id, burst.ts)}
    assert channel.handle(opened(channel, 50)).outcome == "folded"
    assert linked(*bursts(channel)) == [50]


@pytest.mark.parametrize("fault", [{"drop": True, "after": True}, {"drop": True}], ids=["answer", "request"])
def test_a_lost_answer_to_an_update_loses_no_issue(channel: Channel, fault: dict[str, Any]) -> None:
    """An issue that was added without an answer stays in the burst message after the next one."""
    open_issues(channel, LIMIT + 1)
    event, other = opened(channel, 50), opened(channel, 51)
    channel.server.fail_next(1, method="chat.update", **fault)
    with pytest.raises(Unavailable):
        channel.handle(event)
    if "after" in fault:
        assert channel.another().handle(event).outcome == "already_folded"
    channel.handle(other)
    assert linked(*bursts(channel)) == [LIMIT + 1, 50, 51]


def test_an_addition_that_failed_is_not_taken_for_done(channel: Channel) -> None:
    """If Slack refused an addition, the redelivery adds the issue, and once."""
    open_issues(channel, LIMIT + 1)
    event = opened(channel, 50)
    for _ in range(2):
        channel.server.fail_next(1, method="chat.update", error="fatal_error")
        with pytest.raises(Unavailable):
            channel.handle(event)
        assert linked(*bursts(channel)) == [LIMIT + 1]
    assert channel.handle(event).outcome == "folded"
    assert linked(*bursts(channel)) == [LIMIT + 1, 50]


def test_a_removed_burst_message_lists_nothing(channel: Channel) -> None:
    """After somebody removed the burst message, a redelivery shows its issue again."""
    [*_, issue] = open_issues(channel, LIMIT + 1)
    channel.slack.delete(channel.id, bursts(channel)[0].ts)
    channel.clock.pass_until(channel.clock.now + timedelta(minutes=2))
    channel.handle(channel.receive(issue.opened()))
    assert linked(*cards(channel), *bursts(channel)) == list(range(1, LIMIT + 2))


# The history


@pytest.mark.parametrize(
    ("payload", "blocks"),
    [
        (
            {"issues": "1#1", "moments": "a b"},
            [{"type": "section", "text": {"type": "plain_text", "text": "x"}}] * 2,
        ),
        ({"issues": "1#1", "moments": "1"}, [{"type": "divider"}] * 2),
    ],
)
def test_a_malformed_burst_message_stops_no_channel(
    channel: Channel, payload: Any, blocks: list[dict[str, Any]]
) -> None:
    """A malformed burst message, which any app may post, is ignored."""
    written = {"event_type": burst_message.BURST, "event_payload": payload}
    channel.slack.post(channel.id, Message(text="Theirs", blocks=tuple(blocks), metadata=written))
    open_issues(channel, LIMIT + 2)
    theirs, ours = bursts(channel)
    assert (theirs.text, list(theirs.blocks)) == ("Theirs", blocks)
    assert linked(ours) == [LIMIT + 1, LIMIT + 2]
    assert linked(*cards(channel)) == list(range(1, LIMIT + 1))


def test_a_lagging_history_does_not_split_a_burst(lagging: Workspace) -> None:
    """A burst has one message with each issue once, although the history lags."""
    channel = lagging.channel(fold_over=LIMIT)
    for number in range(1, 31):
        event = channel.receive(channel.issue(number=number).opened(), at=channel.clock.now - SECOND)
        for _ in range(2):
            channel.handle(event)
        channel.clock.pass_until(channel.clock.now + SECOND / 3)
    [burst] = bursts(channel)
    assert linked(*cards(channel), burst) == list(range(1, 31))
