"""Ctrl-C ends a program with one line, wherever it comes, and make adds none of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
LINE = "Stopped; nothing is left running.\n"

WHILE_IMPORTING = """
import os, runpy, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[2]:
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except BaseException:
                pass  # as some modules do around their own imports

sys.meta_path.insert(0, Finder())
runpy.run_module(sys.argv[1], run_name="__main__", alter_sys=True)
"""

IN_A_FINALIZER = """
import os, signal, time
from local import stopping

class Finalized:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)  # the handler is called here

signal.signal(signal.SIGINT, stopping.stop)
try:
    Finalized()
    time.sleep(30)
except stopping.Stopped as stopped:
    print("stopped by", stopped.args[0])
"""

AFTER_ITS_WORK = """
import os, signal
from local import stopping

with stopping.stopping(print):
    print("done")
os.kill(os.getpid(), signal.SIGTERM)
"""


def run(program: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a Python program."""
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("program", ["local", "bench"])
@pytest.mark.parametrize("module", ["contextlib", "click"])
def test_a_signal_during_the_imports_prints_one_line(program: str, module: str) -> None:
    """Ctrl-C while `make serve`, `make demo` or `make bench` still imports is answered with one line."""
    outcome = run(WHILE_IMPORTING, program, module)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (130, LINE, "")


def test_a_signal_within_a_finalizer_is_not_lost() -> None:
    """Ctrl-C within a `__del__`, where Python drops exceptions, stops the program a moment later."""
    outcome = run(IN_A_FINALIZER)
    assert (outcome.stdout, outcome.stderr) == ("stopped by 2\n", "")


def test_a_signal_after_the_work_prints_no_traceback() -> None:
    """A signal while the program exits ends it there; what it has printed is not lost."""
    outcome = run(AFTER_ITS_WORK)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (143, f"done\n{LINE}", "")


def make(folder: Path, target: str, python: str) -> subprocess.CompletedProcess[str]:
    """Run the Makefile with this program in place of Python; all of make's processes are one group."""
    shutil.copy(ROOT / "Makefile", folder)
    for path, text in (("local/setup.sh", "exit 0"), (".venv/bin/python", python)):
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_text(f"#!/bin/sh\n{text}\n")
        (folder / path).chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", target], env=environment,
        cwd=folder, start_new_session=True, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("target", ["serve", "demo"])
def test_make_reports_no_error_after_ctrl_c(tmp_path: Path, target: str) -> None:
    """After Ctrl-C, which all of a terminal's programs get, make prints nothing of its own."""
    outcome = make(tmp_path, target, "trap '' INT; kill -INT 0; sleep 0.1; exit ${STATUS_AFTER_CTRL_C:-130}")
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (-2, "", "")


def test_make_reports_a_failure(tmp_path: Path) -> None:
    """A status that is no Ctrl-C still fails the target."""
    outcome = make(tmp_path, "serve", "exit 1")
    assert outcome.returncode == 2
    assert "Error 1" in outcome.stderr


def test_the_status_after_ctrl_c_can_be_set() -> None:
    """The program exits with the status that make asks for."""
    assert run(WHILE_IMPORTING, "local", "click", STATUS_AFTER_CTRL_C="0").returncode == 0
