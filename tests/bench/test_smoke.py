"""A tiny run of the bench measures every kind of figure, and leaves nothing behind."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import ROOT, make_checkout

NAMES = "cold_notify_slack,warm,stream_bq,card_cpu"

BROKEN = """
import flask, functions_framework
first = [True]
@functions_framework.http
def ingest(request):
    print("it is broken", flush=True)
    return flask.Response("", 202 if first and first.pop() else 500)
"""


def command(*options: str) -> list[str]:
    """Return the command of a tiny run."""
    return [sys.executable, "-m", "bench", "--smoke", *options]


def environment(folder: Path) -> dict[str, str]:
    """Return an environment by which the processes of a run are known."""
    return {**os.environ, "TMPDIR": str(folder)}


def processes(folder: Path) -> list[int]:
    """Return the processes that have that environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"TMPDIR={folder}".encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
        except OSError:
            continue  # it has ended, or is another user's
    return found


def test_a_tiny_run_measures(tmp_path: Path) -> None:
    """Each chosen measure yields its figures, with three rounds of slices; the exit status is no failure."""
    done = subprocess.run(
        command("--only", NAMES, "--json"),
        cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert found["failures"] == {}, done.stderr
    assert done.returncode in {0, 1}
    assert [(figure["name"], len(figure["values"])) for figure in found["figures"]] == [
        ("cold_notify_slack", 1),
        ("warm", 3),
        ("warm", 3),
        ("stream_bq", 3),
        ("card_cpu", 1),
    ]
    assert all(
        value > 0 for figure in found["figures"] for value in figure["values"] if figure["unit"] != "ms"
    )
    assert "warm: 3 of 3" in done.stderr
    assert done.stderr.splitlines()[-1] == found["verdict"]
    assert (processes(tmp_path), list(tmp_path.iterdir())) == ([], [])


def test_a_wrong_answer_fails_the_run(tmp_path: Path) -> None:
    """An answer with another status ends the measure with that status and the end of the function's log."""
    checkout = make_checkout(tmp_path / "other")
    (checkout / "functions/ingest/main.py").write_text(BROKEN)
    folder = tmp_path / "run"
    folder.mkdir()
    done = subprocess.run(
        command("--only", "alone", "--json", "--against", str(checkout)),
        cwd=ROOT, env=environment(folder), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert done.returncode == 2
    assert re.search(r"^ingest of .*other/checkout: 1 x status 500\n", found["failures"]["alone"])
    assert "it is broken" in found["failures"]["alone"]


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a measure ends every process and removes the files and the other checkout."""
    with subprocess.Popen(
        command("--only", "warm", "--against", "HEAD"),
        cwd=ROOT, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as bench:  # fmt: skip
        assert bench.stderr is not None
        assert bench.stderr.readline() == "warm: 1 of 3\n"
        assert len(processes(tmp_path)) > 4
        bench.send_signal(signal.SIGINT)
        _, errors = bench.communicate(timeout=60)
    assert bench.returncode == 128 + signal.SIGINT, errors
    assert errors == "Stopped; nothing is left running.\n"
    assert (processes(tmp_path), list(tmp_path.iterdir())) == ([], [])
    assert str(tmp_path) not in subprocess.check_output(["git", "worktree", "list"], cwd=ROOT, text=True)


@pytest.mark.parametrize("options", [["--only", "cold"], ["--against", "no-such-ref", "--only", "warm"]])
def test_a_wrong_option_is_refused(options: list[str], tmp_path: Path) -> None:
    """An unknown measure or ref is an error in one line."""
    done = subprocess.run(
        command(*options),
        cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode in {1, 2}
    assert done.stderr.splitlines()[-1].startswith("Error: ")
