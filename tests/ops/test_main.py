"""The launcher ./issuewire runs from any folder; every command has help and is documented."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ops import ROOT, __version__
from ops.__main__ import ops

DOCUMENTS = "".join(path.read_text() for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))))


def walk(command: click.Command, *names: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command below `command` with the words that call it."""
    yield names, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from walk(child, *names, name)


COMMANDS = list(walk(ops))
LEAVES = [(names, command) for names, command in COMMANDS if not isinstance(command, click.Group)]


@pytest.mark.parametrize(("names", "command"), COMMANDS, ids=str)
def test_every_command_has_help(names: tuple[str, ...], command: click.Command) -> None:
    """The help explains each command and option, and no summary in a list of commands is cut off."""
    result = CliRunner().invoke(ops, [*names, "--help"], prog_name="issuewire", terminal_width=78)
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: {' '.join(['issuewire', *names])} ")
    assert command.help
    assert "..." not in result.output.split("Commands:")[-1] or not isinstance(command, click.Group)
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    assert [option.name for option in options if not option.help] == []
    assert [option.name for option in options if option.envvar and not option.show_envvar] == []


@pytest.mark.parametrize("names", [names for names, _ in LEAVES], ids=" ".join)
def test_every_command_is_documented(names: tuple[str, ...]) -> None:
    """README or a page of docs/ shows how each command is called."""
    assert f"./issuewire {' '.join(names)}" in DOCUMENTS


def test_the_version_is_that_of_the_change_log() -> None:
    """The option --version prints the first version of CHANGELOG.md."""
    result = CliRunner().invoke(ops, ["--version"])
    assert result.output == f"issuewire, version {__version__}\n"
    headings = [line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")]
    assert headings[0].startswith(f"## {__version__} ")


@pytest.mark.processes  # click asks bash for its version
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete_the_commands(shell: str) -> None:
    """The command `completion SHELL` prints a script that completes `issuewire`."""
    result = CliRunner().invoke(ops, ["completion", shell])
    assert result.exit_code == 0
    assert "_ISSUEWIRE_COMPLETE=" in result.output


def run(
    command: str | Path, *arguments: str, folder: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the launcher in a folder; return its outcome."""
    return subprocess.run(
        [command, *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_launcher_runs_from_any_folder(tmp_path: Path) -> None:
    """Paths on the command line are relative to the caller's folder, defaults to the checkout."""
    shutil.copy(ROOT / "samples" / "issues.opened.json", tmp_path / "saved.json")
    (tmp_path / "ops").mkdir()  # a folder of this name is not the package
    outcome = run(ROOT / "issuewire", "routes", "explain", "saved.json", folder=tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.startswith("matches   everything -> ")


def test_the_launcher_follows_a_link(tmp_path: Path) -> None:
    """A link to the launcher, for instance in ~/bin, runs the checkout that it points to."""
    (tmp_path / "issuewire").symlink_to(ROOT / "issuewire")
    outcome = run(tmp_path / "issuewire", "--version", folder=tmp_path)
    assert outcome.stdout == f"issuewire, version {__version__}\n"


def test_bash_completes_a_command() -> None:
    """Bash completes `issuewire ro` to `issuewire routes`."""
    outcome = run(
        ROOT / "issuewire",
        folder=ROOT,
        _ISSUEWIRE_COMPLETE="bash_complete",
        COMP_WORDS="issuewire ro",
        COMP_CWORD="1",
    )
    assert outcome.stdout == "plain,routes\n"


def test_the_launcher_installs_what_is_missing(tmp_path: Path) -> None:
    """Without an environment the launcher runs the set-up, which prints to stderr; completion does not."""
    shutil.copy(ROOT / "issuewire", tmp_path)
    (tmp_path / "local").mkdir()
    setup = tmp_path / "local" / "setup.sh"
    setup.write_text(
        "#!/bin/sh\necho installing $1\nmkdir -p .venv/bin\n"
        "printf '#!/bin/sh\\necho ran $*\\n' >.venv/bin/python\nchmod +x .venv/bin/python\n"
    )
    setup.chmod(0o755)
    launcher = tmp_path / "issuewire"
    assert run(launcher, "x", folder=tmp_path, _ISSUEWIRE_COMPLETE="bash_complete").stdout == ""
    assert not (tmp_path / ".venv").exists()
    outcome = run(launcher, "send", "a b", folder=tmp_path)
    assert (outcome.stdout, outcome.stderr) == ("ran -P -m ops send a b\n", "installing runtime\n")


WHILE_IMPORTING = """
import os, runpy, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN if sys.argv[1] == "ignored" else signal.default_int_handler)

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "ops.schema":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
sys.argv[1:] = ["schema", "--help"]
runpy.run_module("ops", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize(("inherited", "status"), [("default", -signal.SIGINT), ("ignored", 0)])
def test_ctrl_c_during_the_imports_prints_no_traceback(inherited: str, status: int) -> None:
    """Ctrl-C ends the command while it still imports; in a shell's background it is ignored, as ever."""
    outcome = subprocess.run(
        [sys.executable, "-c", WHILE_IMPORTING, inherited],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (outcome.returncode, outcome.stderr) == (status, "")
    assert outcome.stdout.startswith("Usage: ") is (inherited == "ignored")
