"""Time ranges, and pages that join without a gap."""

import pytest

from local.slack.message import Message
from local.slack.paging import Window, cut_page, read_window
from local.slack.rules.problems import RefusedError

TIMES = [f"17640000{seconds:02d}.000000" for seconds in range(7)]
MESSAGES = [Message(channel="C0123456789", ts=ts, text=ts) for ts in TIMES]


def stamps(window: Window, *, newest_first: bool = True) -> list[str]:
    """Return the ts of each message on a page."""
    return [message.ts for message in cut_page(MESSAGES, window, newest_first=newest_first)[0]]


@pytest.mark.parametrize(
    ("bounds", "inner", "outer"),
    [
        ({"oldest": TIMES[2]}, TIMES[3:], TIMES[2:]),
        ({"latest": TIMES[4]}, TIMES[:4], TIMES[:5]),
        ({"oldest": TIMES[2], "latest": TIMES[4]}, TIMES[3:4], TIMES[2:5]),
        ({"oldest": "1764000002", "latest": "1764000003.9"}, TIMES[3:4], TIMES[2:4]),
        ({"oldest": "0"}, TIMES, TIMES),
        ({}, TIMES, TIMES),
    ],
)
def test_the_ends_of_a_range_belong_to_it_only_if_inclusive(bounds, inner, outer):
    """Oldest and latest are exclusive; with inclusive a message with exactly that ts is returned too."""
    assert stamps(read_window(bounds)) == inner[::-1]
    assert stamps(read_window({**bounds, "inclusive": True})) == outer[::-1]


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 999])
def test_pages_join_without_a_gap_or_a_repetition(limit, newest_first):
    """The cursor of a page is the start of the next, in either order; the last page has no cursor."""
    seen: list[str] = []
    cursor, pages = "", 0
    while cursor or not pages:
        window = read_window({"limit": limit, "cursor": cursor, "oldest": TIMES[0], "inclusive": True})
        page, cursor = cut_page(MESSAGES, window, newest_first=newest_first)
        assert 1 <= len(page) <= limit
        seen += [message.ts for message in page]
        pages += 1
    assert seen == (TIMES[::-1] if newest_first else TIMES)
    assert pages == -(-len(TIMES) // limit)


def test_a_cursor_works_after_its_message_is_deleted():
    """A deletion or a post between two pages does not shift the messages after it."""
    page, cursor = cut_page(MESSAGES, Window(limit=2), newest_first=True)
    assert [message.ts for message in page] == [TIMES[6], TIMES[5]]
    newer = Message(channel="C0123456789", ts="1764000010.000000", text="newer")
    left = [message for message in [*MESSAGES, newer] if message.ts != TIMES[4]]
    page, _ = cut_page(left, read_window({"limit": 2, "cursor": cursor}), newest_first=True)
    assert [message.ts for message in page] == [TIMES[3], TIMES[2]]


def test_a_page_has_100_messages_by_default():
    """A limit may be a number or its digits, and an empty cursor asks for the first page."""
    assert (read_window({}).limit, read_window({}).cursor) == (100, None)
    assert read_window({"limit": "999", "cursor": ""}) == read_window({"limit": 999})


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"limit": 0}, "invalid_limit"),
        ({"limit": 1000}, "invalid_limit"),
        ({"limit": -1}, "invalid_limit"),
        ({"limit": True}, "invalid_limit"),
        ({"limit": 1.5}, "invalid_limit"),
        ({"limit": "ten"}, "invalid_limit"),
        ({"limit": ""}, "invalid_limit"),
        ({"oldest": "yesterday"}, "invalid_ts_oldest"),
        ({"oldest": "-1"}, "invalid_ts_oldest"),
        ({"oldest": ""}, "invalid_ts_oldest"),
        ({"oldest": "1764000000.1234567"}, "invalid_ts_oldest"),
        ({"latest": "now"}, "invalid_ts_latest"),
        ({"latest": 1764000000.000001}, "invalid_ts_latest"),
        ({"cursor": "bmV4dA=="}, "invalid_cursor"),
        ({"cursor": "!"}, "invalid_cursor"),
        ({"cursor": "é"}, "invalid_cursor"),
        ({"cursor": 7}, "invalid_cursor"),
    ],
)
def test_an_unreadable_window_is_refused_by_name(arguments, error):
    """Each argument has its own error; a ts that is a number may have lost its last digits."""
    with pytest.raises(RefusedError) as refusal:
        read_window(arguments)
    assert [problem.error for problem in refusal.value.problems] == [error]
