"""What serve prints can be used as it is."""

import subprocess
from pathlib import Path

from local.serve import SEND, shell_command
from local.stack.options import STATE

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
