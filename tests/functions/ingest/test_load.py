"""Many requests at the same time: none gets another's answer, fields or memory, and no 202 is empty."""

import asyncio
import contextlib
import json
import os
import random
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.functions.ingest.rig import IngestRig, headers, ingest, sign
from tests.support.framework import Function
from tests.support.pubsub import pubsub_process

Start = Callable[..., AbstractContextManager[IngestRig]]
CONNECTIONS = 32
BROKEN = b"not JSON"


def request(number: int, kind: str) -> bytes:
    """Return a request on a connection that stays open; its id and repository name its number."""
    body = json.dumps(
        {
            "action": f"action_{number}",
            "repository": {"full_name": f"acme/app-{number}"},
            "pad": "x" * (number % 7 * 1000),
        }
    ).encode()
    changes: dict[str, str | None] = {"X_GitHub_Delivery": f"load-{number}", "Host": "ingest"}
    if kind == "unsigned":
        changes["X_Hub_Signature_256"] = None
    elif kind == "forged":
        changes["X_Hub_Signature_256"] = sign(body, b"another secret")
    elif kind == "broken":
        body = BROKEN
    elif kind == "ping":
        changes["X_GitHub_Event"] = "ping"
    elif kind == "traced":
        changes["traceparent"] = f"00-{number:032x}-00f067aa0ba902b7-01"
    method = "GET" if kind == "get" else "POST"
    lines = [f"{name}: {value}" for name, value in headers(body, **changes).items()]
    head = f"{method} / HTTP/1.1\r\nContent-Length: {len(body)}\r\n" + "\r\n".join(lines) + "\r\n\r\n"
    return head.encode() + body


# What each kind of request is answered, and what its one log line says.
KINDS = {
    "good": (202, "Published"),
    "traced": (202, "Published"),
    "unsigned": (401, "Refused: X-Hub-Signature-256 is missing or wrong."),
    "forged": (401, "Refused: X-Hub-Signature-256 is missing or wrong."),
    "broken": (400, "Refused: The body is not JSON."),
    "ping": (200, "Ping answered"),
    "get": (405, "Refused: Only POST is served here."),
}


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read one answer and return its status and content."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(re.findall(rb"(?i)content-length: (\d+)", head)[0])
    return int(head.split()[1]), await reader.readexactly(length)


async def post_all(port: int, numbers: Iterator[int], kind_of: Callable[[int], str]) -> dict[int, Any]:
    """Send the requests over kept-alive connections; return status and content of each that was answered."""
    answers: dict[int, Any] = {}

    async def one_after_another() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for number in numbers:
                writer.write(request(number, kind_of(number)))
                answers[number] = await answer(reader)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the function was killed
        finally:
            writer.close()

    await asyncio.gather(*(one_after_another() for _ in range(CONNECTIONS)), return_exceptions=False)
    return answers


def resident_kib(function: Function) -> int:
    """Return the sum of what the function's processes have in memory, in KiB; what they share counts twice.

    The server forks. A page that a process writes to for the first time since then is no longer shared, as
    most are at the first full garbage collection: 18 MiB that the processes' own shares grow by, once.
    """
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.getpgid(int(folder.name)) == function.child.pid:
                status = (folder / "status").read_text()
                total += int(re.findall(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)[0])
    return total


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory from /proc")
def test_mixed_requests(start: Start) -> None:
    """Each of 4,000 mixed requests gets its own answer and one log line with its fields alone.

    After the first 1,000, the memory grows by less than half a KiB per request: a request leaves nothing.
    """
    kinds = list(KINDS)

    def kind_of(number: int) -> str:
        return kinds[number % len(kinds)] if number % 3 else "good"

    with start() as rig:
        answers = asyncio.run(post_all(rig.function.port, iter(range(1000)), kind_of))
        before = resident_kib(rig.function)
        answers |= asyncio.run(post_all(rig.function.port, iter(range(1000, 4000)), kind_of))
        assert resident_kib(rig.function) - before < 3000 / 2
        lines = {line.get("delivery_id"): line for line in rig.function.log_lines()}
        assert len(rig.function.log_lines()) == len(lines) == len(answers) == 4000
        message_ids = set()
        for number, (status, content) in answers.items():
            kind, line = kind_of(number), lines[f"load-{number}"]
            assert (status, line["message"]) == KINDS[kind]
            known = {"delivery_id": f"load-{number}"}
            if kind in {"good", "traced", "ping"}:
                event = "ping" if kind == "ping" else "issues"
                known |= {
                    "event": event,
                    "action": f"action_{number}",
                    "repository": f"acme/app-{number}",
                }
            if kind == "traced":
                known |= {"trace": f"{number:032x}", "logging.googleapis.com/trace": f"{number:032x}"}
            if status == 202:
                told = json.loads(content)
                assert told == {"delivery_id": f"load-{number}", "message_id": line["message_id"]}
                message_ids.add(told["message_id"])
            own = {"severity", "message", "message_id", "reason", "status"}
            assert {name: value for name, value in line.items() if name not in own} == known
        assert len(message_ids) == Counter(status for status, _ in answers.values())[202]


def drained(rig: IngestRig, ids: Sequence[str]) -> set[str]:
    """Return the ids of all published messages, up to those that were accepted."""
    found: set[str] = set()
    for delivery_id in ids:
        if delivery_id not in found:
            found |= {message.attributes["delivery_id"] for message in rig.inbox.until(delivery_id)}
    return found


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
def test_no_202_without_its_message(number: signal.Signals, tmp_path: Path, secret_manager: Any) -> None:
    """However ingest ends under load, at random moments, each delivery with a 202 is on the topic."""
    chance = random.Random(number)
    accepted = 0
    with pubsub_process("builtin", tmp_path) as pubsub:
        for attempt in range(4):
            with ingest(tmp_path, pubsub, *secret_manager) as rig:
                first = attempt * 100_000

                async def load(rig: IngestRig = rig, first: int = first) -> dict[int, Any]:
                    loop = asyncio.get_running_loop()
                    loop.call_later(chance.uniform(0.3, 1.2), os.killpg, rig.function.child.pid, number)
                    return await post_all(
                        rig.function.port, iter(range(first, first + 50_000)), lambda _: "good"
                    )

                answers = asyncio.run(load())
                assert len(answers) < 50_000
                ids = [f"load-{each}" for each, (status, _) in answers.items() if status == 202]
                assert set(ids) <= drained(rig, ids)
                accepted += len(ids)
    assert accepted > 100
