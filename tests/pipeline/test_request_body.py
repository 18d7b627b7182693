"""A body is read within limits of size, time and memory."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import request_body
from pipeline.errors import Rejected, Unavailable
from pipeline.request_body import SMALL_BYTES, BodyReader, Receive, RequestBody
from tests.support.loop import run

MIB = 1024 * 1024
LARGEST = 2 * MIB


def reader(memory: int = 8 * MIB, seconds: float = 5.0) -> BodyReader:
    """Return a reader of bodies up to 2 MiB."""
    return BodyReader(largest=LARGEST, seconds=seconds, memory=memory)


def arriving(pieces: Iterable[bytes], *, breaks_off: bool = False, stalls: bool = False) -> Receive:
    """Return a request's `receive`: the pieces, then the end, a disconnect, or nothing more."""
    rest = iter(pieces)

    async def receive() -> dict[str, Any]:
        piece = next(rest, None)
        if piece is not None:
            return {"type": "http.request", "body": piece, "more_body": True}
        if stalls:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"} if breaks_off else {"type": "http.request"}

    return receive


async def whole(bodies: BodyReader, body: RequestBody) -> bytes:
    """Return the body as read."""
    async with bodies.read(body) as data:
        return bytes(data)


def read(pieces: Iterable[bytes], announced: int | None = None, **how: bool) -> bytes:
    """Read a body from its pieces."""
    return run(whole(reader(seconds=0.2), RequestBody(arriving(pieces, **how), announced)))


def refusal(pieces: Iterable[bytes], announced: int | None = None, **how: bool) -> tuple[int, str]:
    """Return status and reason of the refusal of a body."""
    with pytest.raises(Rejected) as refused:
        read(pieces, announced, **how)
    return refused.value.status, refused.value.reason


@given(pieces=st.lists(st.binary(max_size=8)))
def test_a_body_in_any_pieces_is_read(pieces: list[bytes]) -> None:
    """A body arrives whole, in whatever pieces."""
    assert read(pieces) == b"".join(pieces)


@pytest.mark.parametrize("announced", [None, LARGEST])
def test_the_largest_body_is_read(announced: int | None) -> None:
    """A body of exactly the limit is read, announced or not."""
    assert len(read([bytes(MIB), bytes(MIB)], announced)) == LARGEST


def test_one_byte_more_is_refused() -> None:
    """A body of one byte more is refused with 413; if it is announced, nothing is read."""
    assert refusal([bytes(MIB), bytes(MIB), b"0"]) == (413, "body_too_large")
    assert refusal([], LARGEST + 1, stalls=True) == (413, "body_too_large")


def test_a_body_that_breaks_off_is_refused() -> None:
    """A body that breaks off is refused with 400."""
    assert refusal([b"{"], 2, breaks_off=True) == (400, "body_broken")


def test_a_slow_body_is_refused() -> None:
    """A body that is not complete in its time is refused with 400, however it drips."""
    assert refusal([b"{"], 2, stalls=True) == (400, "body_slow")

    async def drip() -> dict[str, Any]:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"0", "more_body": True}

    with pytest.raises(Rejected) as refused:
        run(whole(reader(seconds=0.1), RequestBody(drip, None)))
    assert refused.value.reason == "body_slow"


def test_an_error_of_the_caller_is_not_the_body_s() -> None:
    """A TimeoutError of the block that uses the body stays one."""

    async def use() -> None:
        async with reader().read(RequestBody(arriving([b"{}"]), 2)):
            raise TimeoutError

    with pytest.raises(TimeoutError):
        run(use())


@pytest.mark.parametrize(("size", "ended"), [(MIB, True), (31 * MIB, True), (40 * MIB, False)])
def test_the_rest_is_read_to_a_limit(size: int, ended: bool) -> None:  # noqa: FBT001 - a parameter
    """The rest of a refused body is read and forgotten, up to 32 MiB."""
    body = RequestBody(arriving([bytes(MIB)] * (size // MIB)), None)
    run(body.discard())
    assert body.ended is ended
    assert body.received <= 33 * MIB


@pytest.mark.parametrize("how", [{"stalls": True}, {"breaks_off": True}])
def test_a_rest_that_does_not_come_is_given_up(how: dict[str, bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of a body that stalls or breaks off is given up."""
    monkeypatch.setattr(request_body, "DISCARD_SECONDS", 0.05)
    body = RequestBody(arriving([b"0"], **how), None)
    run(body.discard())
    assert (body.ended, body.received) == (False, 1)


def test_a_rest_that_does_not_come_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that is refused by its headers, and then answered, waits for a stalled body only once."""
    monkeypatch.setattr(request_body, "DISCARD_SECONDS", 0.05)
    waits = 0

    async def stalled() -> dict[str, Any]:
        nonlocal waits
        waits += 1
        return await asyncio.Future()

    body = RequestBody(stalled, None)
    run(body.discard())
    run(body.discard())
    assert waits == 1


def test_nothing_is_read_after_the_end() -> None:
    """After the end of the body nothing is awaited."""
    body = RequestBody(arriving([b"{}"], stalls=False), 2)
    run(body.discard())
    assert body.ended
    run(body.discard())


def at_once(bodies: BodyReader, sizes: list[int], hold: Callable[[int], float]) -> tuple[list[str], int]:
    """Read bodies at the same time, each used for `hold` seconds; return outcomes and the most bytes held."""
    held = most = 0

    async def one(number: int, size: int) -> str:
        nonlocal held, most
        try:
            async with bodies.read(RequestBody(arriving([bytes(size)]), size)):
                held += size
                most = max(most, held)
                await asyncio.sleep(hold(number))
                held -= size
        except Unavailable as error:
            return error.reason
        return "read"

    async def gather() -> list[str]:
        return await asyncio.gather(*(one(number, size) for number, size in enumerate(sizes)))

    return run(gather()), most


def test_large_bodies_share_memory() -> None:
    """Large bodies wait for one another, so that all together stay within the memory."""
    outcomes, most = at_once(reader(4 * MIB), [LARGEST] * 9, lambda _: 0.01)
    assert outcomes == ["read"] * 9
    assert most == 4 * MIB


def test_small_bodies_never_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small body is read while large ones hold all of the memory; another large one is Unavailable."""
    monkeypatch.setattr(request_body, "MEMORY_WAIT_SECONDS", 0.05)
    sizes = [LARGEST, LARGEST, LARGEST, SMALL_BYTES, 1]
    outcomes, _ = at_once(reader(4 * MIB), sizes, lambda number: 0.3 if number < 2 else 0.0)
    assert outcomes == ["read", "read", "overloaded", "read", "read"]


def test_a_large_body_without_a_length_takes_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body in chunks takes memory for the largest body once it is no longer small."""

    async def use() -> None:
        bodies = reader(LARGEST)
        async with bodies.read(RequestBody(arriving([bytes(SMALL_BYTES), b"0"]), None)):
            with pytest.raises(Unavailable):
                await whole(bodies, RequestBody(arriving([bytes(SMALL_BYTES + 1)]), SMALL_BYTES + 1))
        assert len(await whole(bodies, RequestBody(arriving([bytes(LARGEST)]), LARGEST))) == LARGEST

    monkeypatch.setattr(request_body, "MEMORY_WAIT_SECONDS", 0.05)
    run(use())


@given(
    sizes=st.lists(st.integers(SMALL_BYTES + 1, LARGEST), min_size=1, max_size=12),
    cancelled=st.sets(st.integers(0, 11)),
)
def test_memory_is_always_given_back(sizes: list[int], cancelled: set[int]) -> None:
    """Whatever is read, refused or cancelled: afterwards all of the memory is free again."""
    bodies = reader(LARGEST)

    async def use() -> None:
        tasks = [
            asyncio.create_task(whole(bodies, RequestBody(arriving([bytes(size)]), size))) for size in sizes
        ]
        await asyncio.sleep(0)
        for number in cancelled & set(range(len(tasks))):
            tasks[number].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert len(await whole(bodies, RequestBody(arriving([bytes(LARGEST)]), LARGEST))) == LARGEST

    run(use())
