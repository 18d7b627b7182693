"""What has changed since a browser last looked."""

from local.console.changes import KEPT_GONE, Changes


def test_each_change_is_told_once() -> None:
    """A revision tells exactly what is newer; a value that is the same object has not changed."""
    changes: Changes[str, str] = Changes()
    changes.update({"a": "1", "b": "1"}, set(), 5)
    first = changes.revision
    assert changes.since(0, 0) == {"a": "1", "b": "1"}
    changes.update({"a": "1", "b": "2", "c": "1"}, set(), 7)
    assert changes.since(0, first) == {"b": "2", "c": "1"}
    assert changes.since(0, changes.revision) == {}
    before = changes.revision
    changes.update({"a": "1", "b": "2", "c": "1"}, set(), 9)
    assert changes.revision == before


def test_a_browser_that_begins_gets_what_its_state_may_lack() -> None:
    """Who had the state of happening 5 gets what was seen to change while 5 was the newest, and later."""
    changes: Changes[str, str] = Changes()
    changes.update({"a": "1"}, set(), 4)
    changes.update({"a": "1", "b": "1"}, set(), 5)
    changes.update({"a": "1", "b": "1", "c": "1"}, set(), 6)
    assert changes.since(5, 0) == {"b": "1", "c": "1"}


def test_what_is_gone_is_told_and_what_is_shown_no_longer_is_not() -> None:
    """A deletion is told; a value that newer ones have pushed out of the list is not deleted."""
    changes: Changes[str, str] = Changes()
    changes.update({"a": "1", "b": "1"}, set(), 1)
    seen = changes.revision
    changes.update({"c": "1"}, {"a"}, 2)
    assert changes.since(0, seen) == {"a": None, "c": "1"}
    assert changes.values() == {"c": "1"}


def test_what_comes_back_is_there() -> None:
    """A key that was gone and is there again is told as it is."""
    changes: Changes[str, str] = Changes()
    changes.update({"a": "1"}, set(), 1)
    changes.update({}, {"a"}, 2)
    changes.update({"a": "2"}, set(), 3)
    assert changes.since(0, 0) == {"a": "2"}


def test_deletions_are_forgotten_in_the_end() -> None:
    """The list of what is gone is bounded, and keeps the newest."""
    changes: Changes[int, str] = Changes()
    for key in range(KEPT_GONE + 5):
        changes.update({key: "1"}, set(), key)
        changes.update({}, {key}, key)
    assert len(changes.since(0, 0)) == KEPT_GONE
    assert KEPT_GONE + 4 in changes.since(0, 0)
