"""Faults fail the requests that they apply to, in order, and in the way that they say."""

from dataclasses import dataclass

import pytest
from werkzeug.wrappers import Response

from local import faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(faults.Fault):
    """A fault of the requests with one name."""

    name: str

    def applies_to(self, request: str) -> bool:
        """Return whether the request has the name."""
        return request == self.name


def answer(fault: Fault | None, waits: list[float]) -> Response:
    """Answer `true`, or `failed` if the fault has an answer."""
    return faults.answer(
        fault,
        carry_out=lambda: Response("true"),
        fail=lambda fault: Response("failed", fault.status),
        wait=waits.append,
    )


def test_a_queued_fault_is_used_once() -> None:
    """Each queued fault is for one matching request, in the order in which they were added."""
    queue = faults.FaultQueue()
    first, second = Fault(name="a", status=500), Fault(name="a", status=502)
    queue.add(first, 2)
    queue.add(second, 1)
    assert [queue.take(name) for name in ("a", "b", "a", "a", "a")] == [first, None, first, second, None]


def test_an_outage_lasts_until_it_is_cleared() -> None:
    """An outage fails every matching request that the queue leaves."""
    queue = faults.FaultQueue()
    outage, queued = Fault(name="a", drop=True), Fault(name="a", status=500)
    queue.set_outage(outage)
    queue.add(queued, 1)
    assert [queue.take(name) for name in ("a", "a", "b", "a")] == [queued, outage, None, outage]
    queue.clear()
    assert queue.take("a") is None


def test_a_fault_must_do_something() -> None:
    """A fault that would change nothing is a mistake of the test that asks for it."""
    for values in ({}, {"half": True}, {"after": True}):
        with pytest.raises(ValueError, match="a fault needs"):
            Fault(name="a", **values)


def test_a_fault_can_replace_the_answer() -> None:
    """A status is answered after the wait; without a fault the true answer comes at once."""
    waits: list[float] = []
    failed = answer(Fault(name="a", status=503, hang=2.0), waits)
    assert (failed.status_code, failed.get_data(), waits) == (503, b"failed", [2.0])
    assert answer(None, waits).get_data() == b"true"


@pytest.mark.parametrize("fault", [{"drop": True}, {"hang": 1.0}, {"status": 500, "drop": True}])
def test_a_fault_can_close_the_connection(fault: dict[str, float]) -> None:
    """A drop, or a hang without an answer, ends in no answer."""
    with pytest.raises(ConnectionAbortedError):
        answer(Fault(name="a", **fault), [])


def test_a_fault_can_cut_the_answer() -> None:
    """Half of the true answer is sent, with the length of all of it."""
    half = answer(Fault(name="a", half=True, after=True), [])
    assert (half.get_data(), half.headers["Content-Length"]) == (b"tr", "4")
    assert half.headers["Connection"] == "close"
