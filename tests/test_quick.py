"""`make quick` omits every test that starts a process or a server, also through helpers."""

import os

import pytest

from local import processes
from local.pubsub.server import PubSubServer
from tests.support import quick
from tests.support.clock import FakeClock


def by_a_helper() -> object:
    """Use a class of local that uses subprocess."""
    return processes.Child


def by_a_server() -> object:
    """Use a class of local that calls grpc.server."""
    return PubSubServer


def by_a_class() -> object:
    """Use neither."""
    return FakeClock


@pytest.mark.parametrize(
    ("function", "starts"), [(by_a_helper, True), (by_a_server, True), (by_a_class, False)]
)
def test_what_a_function_uses_is_followed(function: object, starts: bool) -> None:  # noqa: FBT001
    """A test that reaches subprocess or a server through helpers is not quick, and any other test is."""
    assert quick.leads_to_a_starter(function) is starts


def test_a_quick_test_must_start_nothing(request: pytest.FixtureRequest) -> None:
    """A test of `make quick` fails if it starts a process."""
    assert request.node.get_closest_marker("processes") is None
    with pytest.raises(pytest.fail.Exception, match="starts a process"):
        os.system("true")
