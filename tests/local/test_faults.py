"""A fault fails a request in the way that it says."""

import pytest
from werkzeug.wrappers import Response

from local import faults
from local.faults import Fault


def answer(fault: Fault | None, waits: list[float]) -> Response:
    """Answer `true`, or `failed` if the fault has an answer."""
    return faults.answer(
        fault,
        carry_out=lambda: Response("true"),
        fail=lambda fault: Response("failed", fault.status),
        wait=waits.append,
    )


def test_a_fault_must_do_something() -> None:
    """A fault that would change nothing is a mistake of the test that asks for it."""
    for values in ({}, {"half": True}, {"after": True}):
        with pytest.raises(ValueError, match="a fault needs"):
            Fault(**values)


def test_a_fault_can_replace_the_answer() -> None:
    """A status is answered after the wait; without a fault the true answer comes at once."""
    waits: list[float] = []
    failed = answer(Fault(status=503, hang=2.0), waits)
    assert (failed.status_code, failed.get_data(), waits) == (503, b"failed", [2.0])
    assert answer(None, waits).get_data() == b"true"


@pytest.mark.parametrize("fault", [{"drop": True}, {"hang": 1.0}, {"status": 500, "drop": True}])
def test_a_fault_can_close_the_connection(fault: dict[str, float]) -> None:
    """A drop, or a hang without an answer, ends in no answer."""
    with pytest.raises(ConnectionAbortedError):
        answer(Fault(**fault), [])


def test_a_fault_can_cut_the_answer() -> None:
    """Half of the true answer is sent, with the length of all of it."""
    half = answer(Fault(half=True, after=True), [])
    assert (half.get_data(), half.headers["Content-Length"]) == (b"tr", "4")
    assert half.headers["Connection"] == "close"
