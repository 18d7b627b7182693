"""Each local part gets a port that no other server is given."""

import socket

import pytest

from local.processes import accepts, free_port

DRAWS = 4000


@pytest.mark.parametrize("reuse", [0, 1])
def test_a_port_is_handed_out_once(reuse: int) -> None:
    """While a part starts, the operating system gives its port to no other server."""
    handed_out = {free_port() for _ in range(200)}

    drawn = set()
    for _ in range(DRAWS):
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
            other.bind(("127.0.0.1", 0))
            drawn.add(other.getsockname()[1])

    assert len(handed_out) == 200
    assert not handed_out & drawn


def test_a_server_can_listen_on_its_port() -> None:
    """A port that was handed out accepts no connection until its server listens on it."""
    port = free_port()
    assert not accepts(port)

    with socket.create_server(("127.0.0.1", port)):
        assert accepts(port)
