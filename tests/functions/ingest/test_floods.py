"""No outsider can stop ingest: valid deliveries are accepted while many others misbehave at once."""

import contextlib
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functions.ingest.rig import IngestRig, headers, issue_body, sign
from tests.support.pubsub import TIMEOUT

MIB = 1024 * 1024
FORGED = sign(b"another body")
LONG_BYTES = 20 * MIB


def head(length: int, signature: str | None) -> bytes:
    """Return the head of a request that announces `length` bytes."""
    sent = headers(b"", X_Hub_Signature_256=signature, Host="ingest", Content_Length=str(length))
    lines = "\r\n".join(f"{name}: {value}" for name, value in sent.items())
    return f"POST / HTTP/1.1\r\n{lines}\r\n\r\n".encode()


def workers(rig: IngestRig) -> set[int]:
    """Return the ids of the function's processes."""
    group = rig.function.child.pid
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.getpgid(int(folder.name)) == group:
                found.add(int(folder.name))
    return found


def resident_mib(rig: IngestRig) -> float:
    """Return the memory of the function's processes; what they share counts once."""
    total = 0
    for process in workers(rig):
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{process}/smaps_rollup").read_text()
            total += int(re.findall(r"^Pss:\s+(\d+)", text, re.MULTILINE)[0])
    return total / 1024


@contextlib.contextmanager
def dripping(rig: IngestRig, count: int, signature: str | None, *, head_only: bool = False) -> Iterator[None]:
    """Hold connections that send one byte after another, and open a new one when one is closed."""
    stop = threading.Event()

    def drip() -> None:
        while not stop.is_set():
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", rig.function.port), timeout=TIMEOUT) as connection,
            ):
                connection.sendall(head(1000, signature)[: -4 if head_only else None])
                while not stop.wait(0.5):
                    connection.sendall(b"x")

    threads = [threading.Thread(target=drip) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize(
    ("signature", "head_only"),
    [(None, False), (FORGED, False), (FORGED, True)],
    ids=["unsigned", "forged", "within the head"],
)
def test_dripping_requests(rig: IngestRig, signature: str | None, head_only: bool) -> None:  # noqa: FBT001 - a parameter
    """While 60 requests drip one byte after another, every valid delivery is accepted."""
    with dripping(rig, 60, signature, head_only=head_only):
        time.sleep(1.0)
        for _ in range(20):
            body = issue_body()
            assert rig.post(body).status_code == 202
    assert len(rig.published_since()) == 20


def test_clients_that_never_close(rig: IngestRig) -> None:
    """Clients that ask for the connection to be closed, and do not close it themselves, delay no one."""
    request = head(0, FORGED).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            connection = socket.create_connection(("127.0.0.1", rig.function.port), timeout=TIMEOUT)
            stack.enter_context(connection)
            connection.sendall(request)
        for _ in range(20):
            assert rig.post(issue_body()).status_code == 202
    assert len(rig.published_since()) == 20


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="reads memory from /proc")
@pytest.mark.parametrize("signature", [None, FORGED], ids=["unsigned", "forged"])
def test_thirty_of_the_largest_bodies(rig: IngestRig, signature: str | None) -> None:
    """While 30 bodies of 25 MiB arrive at once, again and again, memory stays under 400 MiB."""
    before = workers(rig)
    stop = threading.Event()
    answers: list[bytes] = []

    def flood() -> None:
        while not stop.is_set():
            answers.append(rig.raw_stream(head(25 * MIB, signature), [bytes(MIB)] * 25)[:12])

    threads = [threading.Thread(target=flood) for _ in range(30)]
    for thread in threads:
        thread.start()
    peak = 0.0
    try:
        for _ in range(30):
            body = issue_body()
            assert rig.post(body).status_code == 202
            peak = max(peak, resident_mib(rig))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert peak < 400
    assert workers(rig) == before
    assert len(rig.published_since()) == 30
    assert {answer[9:12] for answer in answers} <= {b"401", b"503", b""}


def test_large_valid_deliveries_at_once(rig: IngestRig) -> None:
    """Large valid deliveries at once share the memory: each is accepted or refused with 503."""
    body = b'{"pad": "%s"}' % (b"x" * LONG_BYTES)
    answers: list[int] = []

    def send() -> None:
        answers.append(rig.post(body).status_code)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {202, 503}
    assert 202 in answers
    assert len(rig.published_since()) == answers.count(202)
