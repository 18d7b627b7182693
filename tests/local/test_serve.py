"""What serve prints can be used as it is."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local import serve
from local.feed.feed import Feed
from local.processes import NotReady
from local.serve import SEND, shell_command
from local.stack.options import STATE
from local.terminal import Terminal
from tests.local.feed.fake_stack import FakeStack

SHOW = """set -e
cd "$1"
mkdir samples
printf '#!/bin/sh\\nprintf "%%s|" "$ISSUEWIRE_STATE" "$@"' >issuewire
chmod +x issuewire
eval "$2"
"""


def test_the_usual_folder_needs_no_name() -> None:
    """The command for the folder .local is that of the README."""
    assert shell_command(STATE, SEND) == "./issuewire send samples/issues.opened.json"


def test_the_command_can_be_copied(tmp_path: Path) -> None:
    """For another folder, with a space and an apostrophe in its name, a shell takes the command as it is."""
    state = tmp_path / "a team's $HOME"
    done = subprocess.run(
        ["sh", "-c", SHOW, "sh", str(tmp_path), shell_command(state, SEND)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == f"{state}|send|samples/issues.opened.json|"


class EndingParts:
    """A part ends, and later ends once too often."""

    def __init__(self, _stack: Any, say: Any) -> None:
        self._say = say
        self._checks = 0

    def restart_ended(self) -> bool:
        """Start a part again at the third check; at the sixth one it is given up."""
        self._checks += 1
        if self._checks == 6:
            raise NotReady("ingest ended by itself 4 times")
        if self._checks == 3:
            self._say("ended", "ingest", "ingest ended by itself.")
        return self._checks == 3


@pytest.mark.parametrize("quiet", [True, False])
def test_what_serve_prints(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    quiet: bool,
) -> None:
    """Deliveries are printed unless it is quiet, and ended parts always; the feed has both."""
    monkeypatch.setattr(serve, "Parts", EndingParts)
    monkeypatch.setattr(serve, "CHECK_SECONDS", 0.1)
    stack, rewritten = FakeStack(tmp_path), []
    with Feed(stack) as feed:  # type: ignore[arg-type]
        line = {"severity": "INFO", "message": "Ping answered", "delivery_id": "1", "event": "ping"}
        (tmp_path / "ingest.log").write_text(json.dumps(line) + "\n")
        with pytest.raises(NotReady):
            serve.watch(stack, feed, Terminal(), lambda: rewritten.append(1), quiet=quiet)  # type: ignore[arg-type]
        kinds = [(each.part, each.kind) for each in feed.since(0)]
    printed = capsys.readouterr().out
    assert ("200  pong" in printed) is not quiet
    assert "ingest ended by itself." in printed
    assert kinds == [("ingest", "line"), ("stack", "ended")]
    assert rewritten == [1]
