"""The terminal of make serve prints the deliveries of a fake stack."""

import io
import json
import re
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from local.feed import lines
from local.feed.feed import Feed
from local.feed.show import Show
from local.terminal import Terminal
from tests.local.feed.fake_stack import FakeStack
from tests.local.feed.happenings import report

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
HOSTILE = "a\x1b]0;title\x07/b\r\n\x9b2J\u202e"


class Screen(io.StringIO):
    """A real terminal."""

    def isatty(self) -> bool:
        """Return what a terminal returns."""
        return True


def printed(stack: FakeStack, screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what is printed about a request with hostile names, and about one that cannot be handled."""
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(lines, "PATIENCE", timedelta(seconds=0.2))
    with Feed(stack) as feed:  # type: ignore[arg-type]
        show = Show(feed, Terminal())
        feed.tell(part="slack", kind="switch", text="Slack answers 429.", level="warning")
        fields = {
            "severity": "WARNING",
            "message": f"Refused: {HOSTILE}",
            "reason": "signature",
            "status": 401,
        }
        fields |= {"delivery_id": "1", "event": HOSTILE, "repository": HOSTILE, "issue": 1}
        (stack.folder / "ingest.log").write_text(json.dumps(fields) + "\n")
        if stack.pubsub_server is not None:
            stack.pubsub_server.report(report("stream_bq", status=None, problem="failed", seconds=2.0))
        for _ in range(100):  # ten seconds
            if "401" in screen.getvalue() and "stream_bq" in screen.getvalue():
                break
            show.next()
    return screen.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_real_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """It gets colours, and lines of its width that are broken between words, and obeys no name."""
    monkeypatch.setenv("COLUMNS", str(width))
    text = printed(FakeStack(tmp_path), Screen(), monkeypatch)
    assert "\x1b[31m" in text  # red: refused
    assert "\x1b[33m" in text  # yellow: tried again
    plain = CONTROL.sub("", text)
    assert all(character.isprintable() or character == "\n" for character in plain)
    assert max(map(len, plain.splitlines())) <= width
    assert "stream_bq: retry in 2 s: the function cannot be reached" in " ".join(plain.split())


def test_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets whole lines without control characters, whatever the width."""
    monkeypatch.setenv("COLUMNS", "40")
    found = printed(FakeStack(tmp_path), io.StringIO(), monkeypatch).splitlines()
    assert len(found) == 3
    assert re.fullmatch(r"\d\d:\d\d:\d\d  Slack answers 429\.", found.pop(0))
    assert all(line.isprintable() for line in found)
    assert re.fullmatch(r"\d\d:\d\d:\d\d  a\?\S+ +\S+#1 +401  refused: a\?.*", found[0])
