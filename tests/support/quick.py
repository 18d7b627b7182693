"""Decides which tests are quick: those that start no process and no server."""

import functools
import sys
import threading
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

import grpc
import pytest

_OURS = ("tests.", "local.", "bench.")
_STARTERS = {"http.server", "socket", "socketserver", "subprocess"}
_EVENTS = {"os.exec", "os.fork", "os.posix_spawn", "os.system", "socket.bind", "subprocess.Popen"}
_running: list[pytest.Item] = []
_threads: list[int] = []  # the one that runs the tests
_harmless: set[int] = set()


def mark(items: list[pytest.Item]) -> None:
    """Mark the tests that may start a process or a server, in their code or that of their fixtures."""
    for item in items:
        assert isinstance(item, pytest.Function)
        fixtures = (definitions[-1].func for definitions in item._fixtureinfo.name2fixturedefs.values())
        if any(map(leads_to_a_starter, (item.function, *fixtures))):
            item.add_marker("processes")


def watch(item: pytest.Item) -> None:
    """Fail this test from now on if it is quick and starts a process or listens on a socket.

    What another thread does is not this test's: a deployment runs beside the tests of tests/deploy.
    """
    if not _running:
        sys.addaudithook(_refuse)
    _running[:] = [item]
    _threads[:] = [threading.get_ident()]


def _refuse(event: str, args: tuple[Any, ...], events: set[str] = _EVENTS) -> None:
    # `events` is an argument because a module's names are gone when Python ends.
    if event not in events or threading.get_ident() not in _threads:
        return
    if not _running[0].get_closest_marker("processes"):
        pytest.fail(f"a quick test starts a process or listens on a socket: {event} {args}")


@functools.cache
def leads_to_a_starter(function: object) -> bool:
    """Follow the functions and classes of _OURS to what they use, as far as their names show it."""
    waiting, seen = [function], set(_harmless)
    while waiting:
        thing = waiting.pop()
        module = thing.__name__ if isinstance(thing, ModuleType) else getattr(thing, "__module__", "")
        if module in _STARTERS or thing is grpc.server:
            return True
        if id(thing) not in seen and str(module).startswith(_OURS):
            seen.add(id(thing))
            waiting += _used_by(thing)
        elif isinstance(thing, dict):
            waiting += thing.values()
    _harmless.update(seen)
    return False


def _used_by(thing: object) -> Iterator[object]:
    """Yield the globals that a function names, and their attributes; the bases and members of a class."""
    if isinstance(thing, type):
        yield from thing.__bases__
        for member in vars(thing).values():
            yield from (getattr(member, "fget", None), getattr(member, "__func__", None), member)
    elif isinstance(thing, FunctionType):
        names = set(_names(thing.__code__))
        for value in (thing.__globals__[name] for name in names & thing.__globals__.keys()):
            yield value
            if isinstance(value, ModuleType):
                yield from (vars(value)[name] for name in names & vars(value).keys())
    yield getattr(thing, "__wrapped__", None)


def _names(code: CodeType) -> Iterator[str]:
    """Yield the names in a function's code, and its strings, which may name a fixture."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, CodeType):
            yield from _names(constant)
