"""Tests of the ports that the local parts are given."""

import socket

import pytest

from local.processes import accepts, free_port

DRAWS = 4000


@pytest.mark.parametrize("reuse", [0, 1])
def test_a_port_that_was_handed_out_is_given_to_nobody_else(reuse: int) -> None:
    """While a part starts, no other server on the machine is given its port."""
    handed_out = {free_port() for _ in range(200)}

    drawn = set()
    for _ in range(DRAWS):
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
            other.bind(("127.0.0.1", 0))
            drawn.add(other.getsockname()[1])

    assert len(handed_out) == 200
    assert not handed_out & drawn


def test_a_server_takes_the_port_that_it_was_given() -> None:
    """A port that was handed out is silent until its server listens there."""
    port = free_port()
    assert not accepts(port)

    with socket.create_server(("127.0.0.1", port)):
        assert accepts(port)
