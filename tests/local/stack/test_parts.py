"""A part that ends is started again, but not for ever."""

from pathlib import Path

import pytest

from local.processes import NotReady
from local.stack.parts import Parts
from tests.support.clock import FakeClock


class FakeChild:
    """A part that ends when it is told to."""

    def __init__(self) -> None:
        self.why = ""
        self.was_killed = False
        self.log = Path("log")

    def why_ended(self) -> str:
        """Return how it ended."""
        return self.why

    def last_lines(self) -> str:
        """Return the end of the log."""
        return "    the log's end"


class FakeStack:
    """A stack whose parts start at once, or end again."""

    def __init__(self) -> None:
        self.children = {name: FakeChild() for name in ("ingest", "stream_bq", "pubsub")}
        self.restarted: list[str] = []
        self.fails = ""

    def restart(self, name: str) -> None:
        """Start a part."""
        self.restarted.append(name)
        if self.fails == "answers":
            self.children[name].why = ""
        if self.fails:
            raise NotReady(f"{name} does not start")
        self.children[name].why = ""


@pytest.fixture
def stack() -> FakeStack:
    """Return a stack that runs."""
    return FakeStack()


@pytest.fixture
def said() -> list[str]:
    """Return the lines that are printed."""
    return []


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock that a test moves."""
    return FakeClock()


@pytest.fixture
def parts(stack: FakeStack, said: list[str], clock: FakeClock) -> Parts:
    """Return what is tested."""
    return Parts(stack, lambda kind, part, text: said.append(f"{kind} {part}: {text}"), clock)  # type: ignore[arg-type]


def test_parts_that_run_are_left_alone(parts: Parts, stack: FakeStack, said: list[str]) -> None:
    """Without an end, nothing is started and nothing is printed."""
    assert not parts.restart_ended()
    assert (stack.restarted, said) == ([], [])


@pytest.mark.parametrize(
    ("name", "effect"),
    [("ingest", "send them again"), ("stream_bq", "Pub/Sub sends again"), ("pubsub", "Lost: messages")],
)
def test_a_part_that_ended_is_started_again(
    parts: Parts, stack: FakeStack, said: list[str], name: str, effect: str
) -> None:
    """Only that part is started; the lines say how it ended and what that means for what was sent."""
    stack.children[name].why = "killed by SIGKILL"
    assert parts.restart_ended()
    assert stack.restarted == [name]
    assert said[0] == f"ended {name}: {name} ended by itself (killed by SIGKILL); it is started again."
    assert said[1].startswith(f"restarted {name}: ")
    assert effect in said[1]
    assert not parts.restart_ended()


def test_a_part_that_ends_again_and_again_is_given_up(
    parts: Parts, stack: FakeStack, clock: FakeClock
) -> None:
    """The fourth end within a minute is an error with the end of the log; older ones do not count."""
    for _ in range(5):
        stack.children["ingest"].why = "exit status 1"
        parts.restart_ended()
        clock.sleep(25)
    stack.children["ingest"].why = "exit status 1"
    parts.restart_ended()
    stack.children["ingest"].why = "exit status 1"
    with pytest.raises(
        NotReady, match=r"ingest ended by itself 4 times within a minute \(exit status 1"
    ) as error:
        parts.restart_ended()
    assert "the log's end" in str(error.value)
    assert len(stack.restarted) == 6


def test_a_part_may_be_killed_often(parts: Parts, stack: FakeStack, said: list[str]) -> None:
    """A person who kills a part again and again sees it come back each time."""
    stack.children["ingest"].was_killed = True
    for _ in range(6):
        stack.children["ingest"].why = "killed by SIGKILL"
        assert parts.restart_ended()
    assert len(stack.restarted) == 6
    assert "ended ingest: ingest was killed; it is started again." in said


def test_a_part_that_ends_while_it_starts_is_counted(parts: Parts, stack: FakeStack) -> None:
    """It is tried again, until it is given up."""
    stack.children["ingest"].why, stack.fails = "exit status 3", "ends"
    for _ in range(3):
        assert parts.restart_ended()
    with pytest.raises(NotReady, match="4 times"):
        parts.restart_ended()


def test_a_part_that_does_not_answer_ends_the_stack(parts: Parts, stack: FakeStack) -> None:
    """A part that runs without answering is an error at once."""
    stack.children["ingest"].why, stack.fails = "exit status 3", "answers"
    with pytest.raises(NotReady, match="does not start"):
        parts.restart_ended()
