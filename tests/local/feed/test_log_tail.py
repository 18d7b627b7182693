"""The functions' logs are read as they grow, whatever is in them."""

import json
from pathlib import Path

from local.feed.log_tail import CHUNK_BYTES, MAX_LINE_BYTES, LogTail


def add(path: Path, text: str) -> None:
    """Append to a log."""
    with path.open("a") as file:
        file.write(text)


def read_all(tail: LogTail) -> list[tuple[str, dict[str, object]]]:
    """Read until nothing is left."""
    lines, more = tail.read()
    while more:
        found, more = tail.read()
        lines += found
    return lines


def test_only_what_is_new(tmp_path: Path) -> None:
    """Lines from before are left out, each new one is read once, also of a file that comes later."""
    add(tmp_path / "ingest.log", '{"n": 1}\n')
    tail = LogTail(tmp_path)
    add(tmp_path / "ingest.log", '{"n": 2}\n')
    add(tmp_path / "stream_bq.log", '{"n": 3}\n')
    assert read_all(tail) == [("ingest", {"n": 2}), ("stream_bq", {"n": 3})]
    assert read_all(tail) == []


def test_half_a_line(tmp_path: Path) -> None:
    """A line that is not complete waits for its end, also if it is cut inside a letter."""
    log, tail = tmp_path / "ingest.log", LogTail(tmp_path)
    whole = '{"title": "ü"}\n'.encode()
    log.write_bytes(whole[:12])
    assert read_all(tail) == []
    log.write_bytes(whole)
    assert read_all(tail) == [("ingest", {"title": "ü"})]


def test_what_is_no_json_object(tmp_path: Path) -> None:
    """Tracebacks, lists, broken and deeply nested JSON and broken bytes are passed over."""
    log, tail = tmp_path / "ingest.log", LogTail(tmp_path)
    nested = b'{"a":' * 100_000
    log.write_bytes(b"Traceback\n[1]\n{no\n" + nested + b'\n\xff\xfe\n{"n": 1}\n')
    assert read_all(tail) == [("ingest", {"n": 1})]


def test_truncated_file(tmp_path: Path) -> None:
    """A file that became shorter is read from its beginning, without the half line from before."""
    log, tail = tmp_path / "ingest.log", LogTail(tmp_path)
    add(log, '{"n": 1}\n{"half')
    read_all(tail)
    log.write_text('{"n": 2}\n')
    assert read_all(tail) == [("ingest", {"n": 2})]


def test_bounded_work(tmp_path: Path) -> None:
    """A burst of 10 MB is read in parts, and nothing of it is lost."""
    log, tail = tmp_path / "ingest.log", LogTail(tmp_path)
    line = json.dumps({"message": "x" * 1000})
    add(log, f"{line}\n" * 10_000)
    first, more = tail.read()
    assert more
    assert len(first) <= CHUNK_BYTES // len(line)
    assert len(first) + len(read_all(tail)) == 10_000


def test_endless_line(tmp_path: Path) -> None:
    """A line without an end takes no memory, and the line after it is read."""
    log, tail = tmp_path / "ingest.log", LogTail(tmp_path)
    add(log, "{" * (MAX_LINE_BYTES + 2 * CHUNK_BYTES))
    assert read_all(tail) == []
    assert all(len(file.rest) <= MAX_LINE_BYTES for file in tail._files.values())
    add(log, '{"n": 0}\n{"n": 1}\n')
    assert read_all(tail) == [("ingest", {"n": 1})]
