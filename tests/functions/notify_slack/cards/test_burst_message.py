"""Bursts of new issues against the strict stand-in for Slack, through Slack's own client."""

import itertools
import re
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.slack.blocks import Message
from clients.slack.client import TimeRange, to_ts
from functions.notify_slack.cards import burst_message, card, thread_reply
from functions.notify_slack.cards.metadata import CARD
from functions.notify_slack.routing.eligibility import CardEvent
from functions.notify_slack.routing.routes import Destination
from functions.notify_slack.store import channel_history
from local.slack.message import Message as StoredMessage
from local.slack.rules.arguments import MAX_BLOCKS_TEXT
from ops.send import accounts, payloads
from pipeline.errors import Unavailable
from tests.support.workspace import MONA, Channel, Fault, Workspace, running_workspace

LIMIT = 5
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    """Return the workspace that all tests share."""
    with running_workspace() as running:
        yield running


@pytest.fixture
def channel(workspace: Workspace) -> Channel:
    """Return an empty channel that folds over five new issues a minute."""
    return workspace.channel(fold_over=LIMIT)


def folds(channel: Channel) -> list[StoredMessage]:
    """Return the folds in the channel."""
    return [
        kept for kept in channel.cards if kept.metadata and kept.metadata["event_type"] == burst_message.BURST
    ]


def own_cards(channel: Channel) -> list[StoredMessage]:
    """Return the cards in the channel that are of one issue."""
    return [kept for kept in channel.cards if kept.metadata and kept.metadata["event_type"] == CARD]


def linked(*messages: StoredMessage) -> list[int]:
    """Return the numbers of the issues that messages link to."""
    texts = [block["text"]["text"] for message in messages for block in message.blocks if "text" in block]
    return [int(number) for text in texts for number in re.findall(r"<https://[^|>]*/issues/(\d+)\|", text)]


def history(channel: Channel) -> list[dict[str, Any]]:
    """Return what the channel's history shows."""
    time_range = TimeRange(oldest="0.000000", latest=to_ts(channel.clock.now + timedelta(minutes=1)))
    return [
        message for page in channel.another().slack.history(channel.id, time_range, 1) for message in page
    ]


def opened(channel: Channel, number: int, **changes: Any) -> CardEvent:
    """Return the event of an issue that is opened now."""
    return channel.receive(channel.issue(number=number, **changes).opened())


def burst(channel: Channel, count: int, every: timedelta = SECOND) -> list[payloads.Issue]:
    """Open so many issues, one after the other."""
    issues = []
    for number in range(1, count + 1):
        issue = channel.issue(number=number)
        channel.handle(channel.receive(issue.opened()))
        channel.clock.pass_until(channel.clock.now + every)
        issues.append(issue)
    return issues


def test_new_issues_over_the_limit_fold_into_one_message(channel: Channel) -> None:
    """An import of thirty issues: five cards, and one message with the count and a link to each other one."""
    burst(channel, 30)
    [folded] = folds(channel)
    assert folded.text == "25 more issues at once"
    assert linked(*own_cards(channel)) == [1, 2, 3, 4, 5]
    assert linked(folded) == list(range(6, 31))
    assert not channel.replies


def test_as_many_as_the_limit_have_a_card_each(channel: Channel) -> None:
    """The limit itself is no burst."""
    burst(channel, LIMIT)
    assert len(own_cards(channel)) == LIMIT
    assert not folds(channel)


def test_issues_that_come_at_once_have_no_more_cards_than_the_limit(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight threads look before any of them posts: what the others are about to post counts."""
    events = [opened(channel, number) for number in range(1, 9)]
    channel.clock.pass_until(events[-1].received.received_at)
    everybody, look, looks = threading.Barrier(8), channel_history.scan, itertools.count()

    def look_together(*arguments: Any) -> channel_history.ChannelSnapshot:
        seen = look(*arguments)
        if next(looks) < 8:
            everybody.wait(10)
        return seen

    monkeypatch.setattr(channel_history, "scan", look_together)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(channel.handle, events))
    [folded] = folds(channel)
    assert len(own_cards(channel)) == LIMIT
    assert sorted(linked(folded, *own_cards(channel))) == list(range(1, 9))


def test_an_issue_that_could_not_be_posted_does_not_count(channel: Channel) -> None:
    """Slack was away: once it is back, as many issues as ever have a card each."""
    events = [opened(channel, number) for number in range(1, LIMIT + 2)]
    channel.server.fail_next(len(events), error="fatal_error", method="chat.postMessage")
    for event in events:
        with pytest.raises(Unavailable):
            channel.handle(event)
    for event in events:
        channel.handle(event)
    assert len(own_cards(channel)) == LIMIT


def test_slow_issues_never_fold(channel: Channel) -> None:
    """Five a minute, for as long as it takes."""
    burst(channel, 20, every=timedelta(seconds=13))
    assert len(own_cards(channel)) == 20


def test_zero_turns_folding_off(workspace: Workspace) -> None:
    """Every issue has its card."""
    channel = workspace.channel(fold_over=0)
    burst(channel, 30)
    assert len(own_cards(channel)) == 30


def test_a_burst_goes_on_while_it_lasts_and_then_ends(channel: Channel) -> None:
    """Two minutes of an issue a second make no second lot of cards; the next one after it has a card."""
    burst(channel, 130)
    assert len(own_cards(channel)) == LIMIT
    assert linked(*folds(channel)) == list(range(LIMIT + 1, 131))
    channel.clock.pass_until(channel.clock.now + timedelta(minutes=2))
    channel.handle(opened(channel, 900))
    assert linked(own_cards(channel)[-1]) == [900]


def test_a_fold_takes_issues_for_ten_minutes_and_is_found_for_the_last_of_them(workspace: Workspace) -> None:
    """Then another begins, and the newest one takes what comes."""
    channel = workspace.channel(fold_over=1)
    issues = burst(channel, 20, every=50 * SECOND)
    first, second = folds(channel)
    assert linked(first, second) == list(range(2, 21))
    assert len(linked(first)) == 12
    late = channel.receive(issues[12].labeled(MONA, channel.clock.now, "imported"))
    channel.clock.pass_until(channel.clock.now + timedelta(minutes=10))
    assert channel.handle(late).outcome == "already_folded"
    assert [linked(kept) for kept in own_cards(channel)] == [[1]]


def test_a_fold_is_small_enough_for_slack_and_then_another_begins(channel: Channel) -> None:
    """However long titles and names are, no issue is left out, and no block is too long."""
    repository = accounts.Repository(full_name=f"{'o' * 39}/{'r' * 100}")
    for number in range(1, 101):
        channel.handle(opened(channel, number, title="& <!here> " * 30, repository=repository))
    assert linked(*own_cards(channel), *folds(channel)) == list(range(1, 101))
    assert len(folds(channel)) > 1
    for folded in folds(channel):
        texts = [block["text"]["text"] for block in folded.blocks]
        assert max(map(len, texts)) <= 3_000
        assert sum(map(len, texts)) <= MAX_BLOCKS_TEXT


def test_the_labels_of_a_folded_issue_make_no_card(channel: Channel) -> None:
    """What an import adds to its issues does not undo the folding, also when it comes minutes later."""
    issues = burst(channel, 10)
    for wait in (timedelta(0), timedelta(minutes=5)):
        channel.clock.pass_until(channel.clock.now + wait)
        outcomes = [
            channel.handle(channel.receive(issue.labeled(MONA, channel.clock.now, f"imported {wait}")))
            for issue in issues
        ]
        assert [outcome.outcome for outcome in outcomes] == ["updated"] * LIMIT + ["already_folded"] * 5
    assert len(channel.cards) == LIMIT + 1


def test_news_of_a_folded_issue_are_told_in_the_fold_while_the_burst_lasts(channel: Channel) -> None:
    """In its thread, under the issue's name, once."""
    issue = burst(channel, 10)[-1]
    event = channel.receive(issue.commented(MONA, channel.clock.now, "me too"))
    outcomes = [channel.handle(event), channel.handle(event)]
    assert [outcome.outcome for outcome in outcomes] == ["already_folded"] * 2
    assert [outcome.replied for outcome in outcomes] == [True, False]
    assert [(told.text, told.thread_ts) for told in channel.replies] == [
        ("acme/app#10: mona commented: me too", folds(channel)[0].ts)
    ]


def test_news_of_a_folded_issue_make_its_card_once_the_burst_is_over(channel: Channel) -> None:
    """A day later somebody closes it: the card as it stands now, and the reply in its thread."""
    issue = burst(channel, 10)[-1]
    channel.clock.pass_until(channel.clock.now + timedelta(days=1))
    outcome = channel.handle(channel.receive(issue.closed(MONA, channel.clock.now)))
    assert outcome.outcome == "posted"
    assert linked(own_cards(channel)[-1]) == [10]
    assert [told.thread_ts for told in channel.replies] == [outcome.ts]
    assert channel.handle(channel.receive(issue.reopened(MONA, channel.clock.now))).outcome == "updated"


def test_a_comment_told_in_a_fold_makes_no_card_when_it_comes_again_later(channel: Channel) -> None:
    """A redelivery after the burst finds its reply in the fold's thread."""
    issue = burst(channel, 10)[-1]
    event = channel.receive(issue.commented(MONA, channel.clock.now, "me too"))
    channel.handle(event)
    channel.clock.pass_until(channel.clock.now + timedelta(hours=1))
    assert channel.handle(event).outcome == "already_folded"
    assert len(channel.cards) == LIMIT + 1
    assert len(channel.replies) == 1


def test_only_the_first_of_a_fold_mentions_whom_new_issues_are_shown_to(channel: Channel) -> None:
    """Thirty issues at once ping six times, not thirty."""
    for number in range(1, 31):
        channel.handle(opened(channel, number), mention=("U0AAAAAAA", "S0BBBBBBB"))
    posts = [
        str(arguments["blocks"])
        for method, arguments in channel.server.requests
        if method == "chat.postMessage" and arguments["channel"] == channel.id
    ]
    assert [text.count("<@U0AAAAAAA>") for text in posts] == [1] * (LIMIT + 1)
    assert [text.count("<!subteam^S0BBBBBBB>") for text in posts] == [1] * (LIMIT + 1)


def test_an_issue_outside_the_route_is_not_folded(channel: Channel) -> None:
    """A label that takes an issue out of the channel adds nothing to it, in a burst either."""
    burst(channel, 10)
    issue = channel.issue(number=77)
    assert (
        channel.handle(
            channel.receive(issue.labeled(MONA, channel.clock.now, "wontfix")), final_update=True
        ).ts
        == ""
    )
    assert linked(*folds(channel)) == [6, 7, 8, 9, 10]


@settings(derandomize=True, database=None, deadline=None, max_examples=25)
@given(st.data())
def test_no_issue_and_no_reply_is_lost_or_doubled_in_a_burst(
    workspace: Workspace, data: st.DataObject
) -> None:
    """Lives, duplicates, any order, lost answers, crashes: each issue is linked once, and told of once.

    One that had news after the burst is linked from its fold and from its own card.
    """
    channel = workspace.channel(fold_over=LIMIT)
    destination = Destination(channel=channel.id)
    lives = {number: life(channel, number, data.draw(news)) for number in range(1, 13)}
    events = [event for lived in lives.values() for event in lived]
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
    cards, listed = Counter(linked(*own_cards(channel))), Counter(linked(*folds(channel)))
    assert set((cards + listed).values()) <= {1, 2}
    assert cards.keys() | listed.keys() == lives.keys()
    assert {*cards.values(), *listed.values()} == {1}
    for folded in folds(channel):
        assert folded.text.split()[0] == str(len(linked(folded)))
    told = Counter(kept.metadata["event_payload"]["delivery_id"] for kept in channel.replies if kept.metadata)
    due = [event for event in events if thread_reply.build(event, destination)]
    assert told == Counter(event.delivery_id for event in due)
    for number in cards.keys() - listed.keys():
        newest = max(lives[number], key=lambda event: event.shown_at)
        [kept] = [each for each in own_cards(channel) if linked(each) == [number]]
        assert kept.text == card.build(newest, destination).text


news = st.lists(st.sampled_from(["labeled", "commented", "closed"]), max_size=2, unique=True)
pauses = st.sampled_from([timedelta(0), SECOND, 3 * SECOND, 3 * SECOND, 70 * SECOND])
faults = st.none() | st.builds(
    Fault, kind=st.sampled_from(["crash", "answer_lost", "request_lost", "refused"]), call=st.integers(1, 8)
)


def life(channel: Channel, number: int, steps: list[str]) -> list[CardEvent]:
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


def test_news_told_in_a_fold_are_not_told_again_beneath_a_card(channel: Channel) -> None:
    """A delivery that is repeated after the issue has got a card of its own is in the fold's thread."""
    issue = burst(channel, 10)[-1]
    commented = channel.receive(issue.commented(MONA, channel.clock.now, "me too"))
    channel.handle(commented)
    channel.clock.pass_until(channel.clock.now + timedelta(hours=1))
    assert channel.handle(channel.receive(issue.closed(MONA, channel.clock.now))).outcome == "posted"
    assert not channel.handle(commented).replied
    assert [told.text for told in channel.replies].count("mona commented: me too") == 0
    assert len(channel.replies) == 2


def test_an_issue_that_another_instance_has_written_over_is_written_again(channel: Channel) -> None:
    """Each update of a fold is read back: both instances had read the same fold, and neither link is lost."""
    burst(channel, LIMIT + 1)
    other = channel.another()
    first, second = opened(channel, 50), opened(channel, 51)
    channel.clock.pass_until(second.received.received_at)
    [stale] = [each for message in history(channel) if (each := burst_message.read(message))]

    def overwrite() -> None:
        message = burst_message.add(second, stale, channel.clock.now)
        other.slack.update(channel.id, stale.ts, message)

    channel.slack.calls = 0
    channel.slack.before = {3: overwrite}
    assert channel.handle(first).outcome == "folded"
    assert linked(*folds(channel)) == [LIMIT + 1, 51, 50]


def test_a_fold_that_is_written_over_again_and_again_is_left_to_pubsub(channel: Channel) -> None:
    """Three tries; then the delivery comes again, and nothing has been acknowledged."""
    burst(channel, LIMIT + 1)
    [folded] = folds(channel)
    as_it_was = Message(text=folded.text, blocks=folded.blocks, metadata=folded.metadata or {})
    other = channel.another()
    channel.slack.calls = 0
    channel.slack.before = {
        call: lambda: other.slack.update(channel.id, folded.ts, as_it_was) for call in (3, 5, 7)
    }
    before = len(channel.server.requests)
    with pytest.raises(Unavailable) as error:
        channel.handle(opened(channel, 50))
    assert error.value.reason == "slack_fold_contended"
    assert [method for method, _ in channel.server.requests[before:]].count("chat.update") == 3 + 3


def test_a_fold_that_somebody_removes_meanwhile_is_begun_anew(channel: Channel) -> None:
    """Between its update and the reading back: the issue must not be lost with it."""
    burst(channel, LIMIT + 1)
    [folded] = folds(channel)
    channel.slack.calls = 0
    channel.slack.before = {3: lambda: channel.another().slack.delete(channel.id, folded.ts)}
    assert channel.handle(opened(channel, 50)).outcome == "folded"
    assert linked(*folds(channel)) == [50]


def test_two_instances_that_begin_a_fold_at_once_end_with_one(channel: Channel) -> None:
    """The younger fold removes itself, and its issue goes into the older one."""
    burst(channel, LIMIT)
    other = channel.another()
    events = [opened(channel, number) for number in (50, 51)]
    channel.clock.pass_until(events[-1].received.received_at)
    meeting = threading.Barrier(2)

    def wait() -> None:
        try:
            meeting.wait(0.5)
        except threading.BrokenBarrierError:
            return

    for instance in (channel, other):
        instance.slack.calls = 0
        instance.slack.before = {3: wait}
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda pair: pair[0].handle(pair[1]), zip((channel, other), events, strict=True)))
    [folded] = folds(channel)
    assert sorted(linked(folded)) == [50, 51]


def test_a_folded_issue_takes_three_calls(channel: Channel) -> None:
    """Once a burst is known: look, update, read back."""
    burst(channel, LIMIT + 1)
    calls = channel.calls(lambda: channel.handle(opened(channel, 50)))
    assert Counter(calls) == {"conversations.history": 1, "chat.update": 1, "conversations.replies": 1}


# What the history holds, and what it does not hold yet


def strange_folds() -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    """Yield payloads and blocks that no fold of ours has."""
    text = {"type": "plain_text", "text": "hello"}
    readable = [{"type": "section", "text": text}] * 2
    for moments in ("a b", "1e3", [1, 2], {"at": 1}, "\u00b2"):
        yield {"issues": "1#1", "moments": moments}, readable
    yield {"issues": "1#1"}, readable
    yield {"moments": "1"}, readable
    yield {"text": "hello"}, readable
    for block in ({"type": "divider"}, {"type": "context", "elements": [text]}):
        yield {"issues": "1#1", "moments": "1"}, [block, block]


@pytest.mark.parametrize(("payload", "blocks"), [*strange_folds()])
def test_what_another_app_calls_a_fold_stops_no_channel(
    channel: Channel, payload: Any, blocks: list[dict[str, Any]]
) -> None:
    """Metadata is anybody's to write: what cannot be read is none, and a burst folds as ever."""
    written = {"event_type": burst_message.BURST, "event_payload": payload}
    channel.slack.post(channel.id, Message(text="Theirs", blocks=tuple(blocks), metadata=written))
    burst(channel, LIMIT + 2)
    theirs, ours = folds(channel)
    assert (theirs.text, list(theirs.blocks)) == ("Theirs", blocks)
    assert linked(ours) == [LIMIT + 1, LIMIT + 2]
    assert linked(*own_cards(channel)) == list(range(1, LIMIT + 1))


@pytest.fixture(scope="module")
def lagging() -> Iterator[Workspace]:
    """Return a workspace whose history shows a message two seconds late."""
    with running_workspace(history_lag=2.0) as running:
        yield running


def test_a_burst_folds_although_the_history_lags(lagging: Workspace) -> None:
    """Three new issues a second, each delivered twice: one fold, which holds each of its issues once."""
    channel = lagging.channel(fold_over=LIMIT)
    for number in range(1, 31):
        event = channel.receive(channel.issue(number=number).opened(), at=channel.clock.now - SECOND)
        for _ in range(2):
            channel.handle(event)
        channel.clock.pass_until(channel.clock.now + SECOND / 3)
    [folded] = folds(channel)
    assert linked(*own_cards(channel), folded) == list(range(1, 31))
