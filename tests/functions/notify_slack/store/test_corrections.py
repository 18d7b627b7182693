"""What is edited or deleted at GitHub is changed or taken back in Slack, in any order of deliveries."""

import itertools
from datetime import timedelta

import pytest

from functions.notify_slack.cards import burst_message
from functions.notify_slack.routing.eligibility import CardEvent
from functions.notify_slack.routing.routes import Destination
from ops.send import accounts, payloads
from pipeline.errors import Unavailable
from tests.functions.notify_slack.store.support import bursts, linked, payload
from tests.support.workspace import MONA, Channel, Workspace

SECRET = "the password is hunter2"


def comment_events(channel: Channel, issue: payloads.Issue) -> tuple[CardEvent, CardEvent, CardEvent]:
    """Return the events of a comment that is written, edited a minute later, and deleted."""
    start = channel.clock.now
    created = issue.commented(MONA, start, SECRET)

    def later(action: str, body: str) -> payloads.Event:
        changed = {**created.payload["comment"], "body": body}
        if action == "edited":
            changed["updated_at"] = payloads.time_text(start + timedelta(minutes=1))
        return payloads.Event(
            name="issue_comment", payload={**created.payload, "action": action, "comment": changed}
        )

    edited = channel.receive(later("edited", "removed"), at=start + timedelta(minutes=1))
    deleted = channel.receive(later("deleted", "removed"), at=start + timedelta(minutes=2))
    return channel.receive(created), edited, deleted


def written(channel: Channel) -> str:
    """Return all texts of the channel."""
    return str([(message.text, message.blocks) for message in channel.messages])


@pytest.mark.parametrize("order", list(itertools.permutations(range(2))))
def test_an_edited_comment_is_shown_as_it_is_now(channel: Channel, order: tuple[int, ...]) -> None:
    """The reply shows the comment as it is now, also if the edit arrives first; a repetition adds nothing."""
    issue = channel.issue()
    channel.handle(channel.receive(issue.opened()))
    events = comment_events(channel, issue)
    for index in [*order, *order]:
        channel.handle(events[index])
    assert [reply.text for reply in channel.replies] == ["mona commented: removed"]
    assert "hunter2" not in written(channel)
    assert payload(channel.replies[0])["delivery_id"] == events[0].delivery_id


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_deleted_comment_leaves_none_of_its_words(channel: Channel, order: tuple[int, ...]) -> None:
    """In any order, a deleted comment leaves at most that somebody deleted a comment."""
    issue = channel.issue()
    channel.handle(channel.receive(issue.opened()))
    events = comment_events(channel, issue)
    for index in [*order, *order]:
        channel.handle(events[index])
    assert "hunter2" not in written(channel)
    assert "removed" not in written(channel)
    deleted = ["mona deleted a comment"]
    assert [reply.text for reply in channel.replies] == (deleted if order.index(0) < order.index(2) else [])


def test_a_restarted_instance_follows_too(channel: Channel) -> None:
    """An instance that did not post the reply finds it by the comment's id; a late edit changes nothing."""
    issue = channel.issue()
    channel.handle(channel.receive(issue.opened()))
    created, edited, deleted = comment_events(channel, issue)
    channel.handle(created)
    channel.another().handle(deleted)
    channel.another().handle(edited)
    assert [reply.text for reply in channel.replies] == ["mona deleted a comment"]


def test_a_muted_sender_takes_words_back(channel: Channel) -> None:
    """The reply follows a correction by a muted account, and in a route that makes no card of it."""
    issue = channel.issue()
    channel.handle(channel.receive(issue.opened()))
    created, _, deleted = comment_events(channel, issue)
    channel.handle(created)
    channel.handle(deleted, replies=False, makes_card=False)
    assert "hunter2" not in written(channel)


def test_a_comment_of_another_issue_is_left_alone(channel: Channel) -> None:
    """Only the replies about the comment change."""
    issue = channel.issue()
    channel.handle(channel.receive(issue.opened()))
    other = channel.receive(issue.commented(MONA, channel.clock.now, "another comment"))
    channel.handle(other)
    for event in comment_events(channel, issue):
        channel.handle(event)
    assert [reply.text for reply in channel.replies] == [
        "mona commented: another comment",
        "mona deleted a comment",
    ]


# Deleted issues


def test_a_deleted_issue_without_a_card_gets_none(channel: Channel) -> None:
    """A deleted issue has no card made for it, and a late event of it makes none either."""
    issue = channel.issue(title=SECRET)
    opened = channel.receive(issue.opened())
    comment = channel.receive(issue.commented(MONA, channel.clock.now, SECRET))
    assert channel.handle(channel.receive(issue.deleted(MONA, channel.clock.now))).outcome == "no_card"
    for event in (opened, comment):
        assert channel.handle(event).outcome == "no_card"
    assert channel.messages == []


def test_no_later_event_brings_a_deleted_issue_back(channel: Channel) -> None:
    """A transfer, and any other event, that is delivered after the deletion changes nothing on the card."""
    issue, start = channel.issue(title=SECRET), channel.clock.now
    channel.handle(channel.receive(issue.opened()))
    channel.handle(channel.receive(issue.deleted(MONA, start), at=start + timedelta(minutes=1)))
    moved, _ = issue.transferred(MONA, start, accounts.Repository(full_name="acme/web"), 2)
    closed = issue.closed(MONA, start + timedelta(hours=1))
    for event in (moved, closed):
        channel.restart()
        channel.handle(channel.receive(event, at=start + timedelta(hours=1)))
    assert "deleted by mona" in str(channel.card.blocks)
    assert "hunter2" not in written(channel)


def test_a_deleted_issue_leaves_none_of_its_words(channel: Channel) -> None:
    """The card keeps its number; title, text and the comments in its thread go with the issue."""
    issue = channel.issue(title=SECRET, body=SECRET)
    channel.handle(channel.receive(issue.opened()), format="full")
    late = channel.receive(issue.commented(MONA, channel.clock.now, SECRET))
    channel.handle(channel.receive(issue.commented(MONA, channel.clock.now, SECRET)))
    closed = channel.receive(issue.closed(MONA, channel.clock.now))
    channel.handle(closed)
    deleted = channel.receive(issue.deleted(MONA, channel.clock.now))
    for event in (deleted, deleted):
        channel.handle(event, format="full")
    channel.another().handle(late)
    assert channel.card.text == "Deleted: acme/app#7"
    assert [reply.text for reply in channel.replies] == [
        "mona deleted a comment",
        "mona closed this as completed · less than a minute after opening",
    ]
    assert "hunter2" not in written(channel)


# Burst messages


def folded(workspace: Workspace) -> tuple[Channel, payloads.Issue]:
    """Return a channel and the second of two issues in its burst message."""
    channel = workspace.channel(fold_over=1)
    channel.handle(channel.receive(channel.issue(number=1).opened()))
    for number in (2, 3, 4):
        issue = channel.issue(number=number, title=f"{SECRET} {number}")
        channel.handle(channel.receive(issue.opened()))
    return channel, channel.issue(number=3, title=f"{SECRET} 3")


def test_a_burst_message_shows_an_edited_title(workspace: Workspace) -> None:
    """The line of an issue in a burst message follows the edit of its title; the other lines stay."""
    channel, issue = folded(workspace)
    channel.handle(channel.receive(issue.edited(MONA, channel.clock.now, "fixed title")))
    [burst] = channel.cards[1:]
    shown = [line for block in burst.blocks[1:] for line in block["text"]["text"].split("\n")]
    assert [line.split("> ")[1] for line in shown] == [f"{SECRET} 2", "fixed title", f"{SECRET} 4"]


def test_a_burst_message_forgets_a_deleted_issue(workspace: Workspace) -> None:
    """A deleted issue keeps its number in a burst message, and its comments in the thread are taken back."""
    channel, issue = folded(workspace)
    edited = channel.receive(issue.edited(MONA, channel.clock.now, SECRET))
    channel.handle(channel.receive(issue.commented(MONA, channel.clock.now, "word for word")))
    channel.handle(channel.receive(issue.deleted(MONA, channel.clock.now)))
    channel.handle(edited)
    channel.another().handle(edited)
    [burst] = channel.cards[1:]
    shown = [line for block in burst.blocks[1:] for line in block["text"]["text"].split("\n")]
    assert shown[1] == "• acme/app#3"
    assert f"{SECRET} 2" in shown[0]
    assert f"{SECRET} 4" in shown[2]
    assert [reply.text for reply in channel.replies] == ["acme/app#3: mona deleted a comment"]


def test_another_instance_corrects_a_burst_message_once_it_is_closed(workspace: Workspace) -> None:
    """While its instance may be adding issues, another one corrects only the thread, and is redelivered."""
    channel, issue = folded(workspace)
    other = channel.another()
    channel.handle(channel.receive(issue.commented(MONA, channel.clock.now, SECRET)))
    deleted = channel.receive(issue.deleted(MONA, channel.clock.now))
    with pytest.raises(Unavailable) as caught:
        other.handle(deleted)
    assert caught.value.reason == "slack_fold_contended"
    assert channel.replies[0].text == "acme/app#3: mona deleted a comment"
    channel.handle(channel.receive(channel.issue(number=5).opened()))
    channel.clock.pass_until(channel.clock.now + timedelta(minutes=13))
    other.handle(deleted)
    [burst] = bursts(channel)
    assert linked(burst) == [2, 4, 5]
    assert f"{SECRET} 3" not in written(channel)


def test_a_deleted_issue_in_two_burst_messages_leaves_both(workspace: Workspace) -> None:
    """If two instances have added an issue, its deletion takes the title out of both burst messages."""
    channel, issue = folded(workspace)
    edited = channel.receive(issue.edited(MONA, channel.clock.now, f"{SECRET} 3"))
    theirs = burst_message.start(edited, Destination(channel=channel.id), channel.clock.now)
    channel.slack.post(channel.id, theirs)
    deleted = channel.receive(issue.deleted(MONA, channel.clock.now))
    with pytest.raises(Unavailable):
        channel.handle(deleted)
    channel.clock.pass_until(channel.clock.now + timedelta(minutes=13))
    channel.handle(deleted)
    assert f"{SECRET} 3" not in written(channel)
    assert linked(*bursts(channel)) == [2, 4]


def test_a_correction_that_failed_is_made_again(workspace: Workspace) -> None:
    """The redelivery of a correction that Slack refused corrects the burst message."""
    channel, issue = folded(workspace)
    edited = channel.receive(issue.edited(MONA, channel.clock.now, "fixed title"))
    channel.server.fail_next(1, method="chat.update", error="fatal_error")
    with pytest.raises(Unavailable):
        channel.handle(edited)
    channel.handle(edited)
    assert "fixed title" in written(channel)


def test_an_edited_comment_does_not_wait_for_the_burst_message(workspace: Workspace) -> None:
    """Another instance corrects a reply about a comment at once: the burst message itself is right."""
    channel, issue = folded(workspace)
    created, edited, _ = comment_events(channel, issue)
    channel.handle(created)
    channel.another().handle(edited)
    assert channel.replies[0].text == "acme/app#3: mona commented: removed"
