"""The script local/setup.sh finds Python 3.13 and creates a whole environment or none."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.signals import NOHUP

SCRIPTS = Path(__file__).resolve().parent.parent / "local"
TOOLS = ("bash", "cat", "cp", "dirname", "env", "mkdir", "mv", "rm", "sh", "sleep", "sort")
LOCK = "example==1.0 \\\n    --hash=sha256:00\nother==2.0 \\\n    --hash=sha256:11\n"
DEV, RUNTIME = "requirements-dev.txt", "requirements.txt"

# Plays an interpreter; `-m venv` copies it into the environment of uv, where it also plays pip.
INTERPRETER = """#!/bin/sh
case "$*" in
  *base_prefix*) echo "{version} {home}" ;;
  --version) echo "Python {version}" ;;
  *ensurepip*) exit {venv_status} ;;
  *fcntl*) exec "{python}" "$@" ;;
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m pip config list") printf '%s\\n' "${{FAKE_CONFIG:-}}" ;;
  "-m pip install "*)
    eval "${{FAKE_PIP:-:}}"
    echo {home} >>"{folder}/pip-runs" && cp "{folder}/fake-uv" .venv-uv/bin/uv ;;
  *) echo "not expected: $*" >&2 && exit 9 ;;
esac
"""

# Plays uv: `uv venv ... --python PYTHON VENV` and `uv pip install ... -r LOCK`.
UV = """#!/bin/sh
case "$*" in
  "venv "*) mkdir -p "$6/bin" && cp "$5" "$6/bin/python" ;;
  "pip install "*)
    echo "$("$5" -c base_prefix) $7" >>"{folder}/uv-runs"
    env >"{folder}/uv-environment"
    eval "${{FAKE_UV:-:}}" ;;
  *) echo "not expected: $*" >&2 && exit 9 ;;
esac
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Laptop:
    """A copy of setup.sh on a machine that has only the programs of the test."""

    folder: Path
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def project(self) -> Path:
        """The checkout."""
        return self.folder / "project"

    @property
    def venv(self) -> Path:
        """The environment that `setup.sh dev` makes."""
        return self.project / ".venv"

    @property
    def installs(self) -> list[str]:
        """The home of the interpreter for every installation by uv, in order."""
        return [line.split()[1] for line in self.lines("uv-runs")]

    def lines(self, name: str) -> list[str]:
        """Return the lines that the fakes have written to a file."""
        file = self.folder / name
        return file.read_text().splitlines() if file.exists() else []

    def script(self, path: str, text: str) -> Path:
        """Create an executable file on the machine."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return file

    def interpreter(self, path: str, version: str = "3.13.0", *, venv_status: int = 0) -> Path:
        """Install a Python; its home is its path."""
        text = INTERPRETER.format(
            version=version,
            home=path,
            venv_status=venv_status,
            python=sys.executable,
            folder=self.folder,
        )
        return self.script(path, text)

    def start(self, *arguments: str, under: tuple[str, ...] = (), **variables: str) -> subprocess.Popen[str]:
        """Start setup.sh; it is killed after the test."""
        environment = {"PATH": str(self.folder / "bin"), "HOME": str(self.folder / "home")} | variables
        process = subprocess.Popen(
            [*under, self.project / "local" / "setup.sh", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        return process

    def start_endless(
        self, installer: str, under: tuple[str, ...] = (), **variables: str
    ) -> tuple[subprocess.Popen[str], list[int]]:
        """Start setup.sh and an installer that hangs; return it and the ids of installer and child."""
        file = self.folder / "pids"
        script = f"echo $$ >'{file}'; sh -c 'echo $$ >>\"{file}\"; exec sleep 60'"
        process = self.start("dev", under=under, **{installer: script}, **variables)
        until(lambda: file.exists() and file.read_text().count("\n") == 2)
        return process, [int(line) for line in file.read_text().split()]

    def run(self, *arguments: str, **variables: str) -> tuple[int, str, str]:
        """Run setup.sh to its end, for `dev` by default: exit status, output, errors."""
        process = self.start(*(arguments or ("dev",)), **variables)
        output, errors = process.communicate(timeout=30)
        return process.returncode, output, errors


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    """Return a machine without any Python."""
    machine = Laptop(folder=tmp_path)
    (machine.project / "local" / "uv").mkdir(parents=True)
    for script in ("setup.sh", "uv.sh"):
        shutil.copy(SCRIPTS / script, machine.project / "local" / script)
    for lock in (DEV, RUNTIME, "local/uv/requirements.txt"):
        (machine.project / lock).write_text(f"# {lock}\n{LOCK}")
    machine.script("fake-uv", UV.format(folder=tmp_path))
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None, f"{tool} is missing on this machine"
        (tmp_path / "bin" / tool).symlink_to(found)
    yield machine
    for process in machine.running:
        process.kill()
        process.communicate()


def until(condition: Callable[[], bool]) -> None:
    """Wait until the condition is true; fails after 20 s."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 20 s"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Return whether a process of this id exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_without_python_one_line_says_what_to_install(laptop: Laptop) -> None:
    """Without Python 3.13, set-up ends with one line that names it, and creates nothing."""
    status, output, errors = laptop.run()
    assert (status, output) == (1, "")
    assert errors.startswith("setup: Python 3.13 is missing; install it (")
    assert errors.count("\n") == 1
    assert not laptop.venv.exists()


@pytest.mark.parametrize("version", ["3.12.9", "3.14.0", "3.13.0rc1", "3.13.0t", "2.7.18"])
def test_another_python_does_not_count(laptop: Laptop, version: str) -> None:
    """Another version, a pre-release or a free-threaded build of Python is not used."""
    laptop.interpreter("bin/python3.13", version)
    laptop.interpreter("bin/python3", version)
    status, _, errors = laptop.run()
    assert status == 1
    assert errors.startswith("setup: Python 3.13 is missing")


def test_a_shim_that_does_not_run_is_skipped(laptop: Laptop) -> None:
    """A python3.13 on the path that cannot run is skipped without a message."""
    laptop.script("bin/python3.13", "#!/bin/sh\necho 'pyenv: python3.13: command not found' >&2\nexit 127\n")
    laptop.interpreter("bin/python3", "3.11.2")
    laptop.interpreter("bin/python", "3.13.4")
    status, output, errors = laptop.run()
    assert (status, errors) == (0, "")
    assert laptop.installs == ["bin/python"]
    assert output.splitlines()[::2] == [
        "Installing local/uv/requirements.txt into .venv-uv",
        "Installing requirements-dev.txt into .venv",
    ]


def test_a_python_of_pyenv_is_found(laptop: Laptop) -> None:
    """The newest 3.13 of pyenv is used if the path has none."""
    for version in ("3.13.2", "3.13.10", "3.13.9", "3.12.99"):
        laptop.interpreter(f"home/.pyenv/versions/{version}/bin/python3.13", version)
    laptop.interpreter("bin/python3", "3.13.99")
    assert laptop.run()[0] == 0
    assert laptop.installs == ["home/.pyenv/versions/3.13.10/bin/python3.13"]


def test_pyenv_may_be_elsewhere(laptop: Laptop) -> None:
    """PYENV_ROOT names the folder of pyenv's versions."""
    laptop.interpreter("pyenv/versions/3.13.1/bin/python3.13", "3.13.1")
    assert laptop.run(PYENV_ROOT=str(laptop.folder / "pyenv"))[0] == 0
    assert laptop.installs == ["pyenv/versions/3.13.1/bin/python3.13"]


def test_the_path_wins_over_pyenv(laptop: Laptop) -> None:
    """A python3.13 on the path wins over one of pyenv."""
    laptop.interpreter("bin/python3.13")
    laptop.interpreter("home/.pyenv/versions/3.13.1/bin/python3.13", "3.13.1")
    assert laptop.run()[0] == 0
    assert laptop.installs == ["bin/python3.13"]


def test_the_named_python_wins(laptop: Laptop) -> None:
    """PYTHON chooses the interpreter; another choice creates the environment again."""
    laptop.interpreter("bin/python3.13")
    chosen = laptop.interpreter("opt/python", "3.13.5")
    assert laptop.run()[0] == 0
    assert laptop.run(PYTHON=str(chosen))[0] == 0
    assert laptop.run(PYTHON=str(chosen)) == (0, "", "")
    assert laptop.installs == ["bin/python3.13", "opt/python"]


def test_the_named_python_must_be_right(laptop: Laptop) -> None:
    """A PYTHON of another version is refused with its version and not replaced."""
    laptop.interpreter("bin/python3.13")
    wrong = laptop.interpreter("opt/python", "3.12.1")
    status, _, errors = laptop.run(PYTHON=str(wrong))
    assert (status, errors) == (1, f"setup: PYTHON={wrong} is not Python 3.13 (Python 3.12.1)\n")
    missing = laptop.folder / "nowhere"
    status, _, errors = laptop.run(PYTHON=str(missing))
    assert (status, errors) == (1, f"setup: PYTHON={missing} is not Python 3.13 (it does not start)\n")
    assert laptop.installs == []


def test_a_python_without_its_venv_module_is_named(laptop: Laptop) -> None:
    """If the venv module is missing, the line names Debian's package that has it."""
    laptop.interpreter("bin/python3.13", venv_status=1)
    status, _, errors = laptop.run()
    assert status == 1
    assert errors.startswith("setup: python3.13 lacks its venv module; install it (")
    assert "python3.13-venv" in errors
    assert errors.count("\n") == 1


def test_a_python_without_its_venv_module_is_skipped(laptop: Laptop) -> None:
    """A complete Python 3.13 is used if the first one lacks its venv module."""
    laptop.interpreter("bin/python3.13", venv_status=1)
    laptop.interpreter("bin/python3")
    assert laptop.run()[0] == 0
    assert laptop.installs == ["bin/python3"]


def test_the_second_run_does_nothing(laptop: Laptop) -> None:
    """A second run prints nothing and installs nothing."""
    laptop.interpreter("bin/python3.13")
    status, output, _ = laptop.run()
    assert status == 0
    assert output.splitlines()[-1].startswith(".venv is ready (")
    assert laptop.run() == (0, "", "")
    assert len(laptop.installs) == 1


def test_a_changed_lock_makes_the_environment_again(laptop: Laptop) -> None:
    """A changed lock file creates the environment again, without what was in it before."""
    laptop.interpreter("bin/python3.13")
    assert laptop.run()[0] == 0
    (laptop.venv / "left-over").touch()
    (laptop.project / DEV).write_text(LOCK.replace("1.0", "1.1"))
    assert laptop.run()[0] == 0
    assert len(laptop.installs) == 2
    assert not (laptop.venv / "left-over").exists()
    assert list((laptop.project / ".local").glob("*.previous")) == []


def test_a_moved_project_makes_the_environment_again(laptop: Laptop) -> None:
    """A moved environment is created again, because its commands contain its path."""
    laptop.interpreter("bin/python3.13")
    assert laptop.run()[0] == 0
    laptop.project.rename(laptop.folder / "elsewhere")
    moved = Laptop(folder=laptop.folder / "new", running=laptop.running)
    moved.folder.mkdir()
    (laptop.folder / "elsewhere").rename(moved.project)
    (moved.folder / "bin").symlink_to(laptop.folder / "bin")
    assert moved.run()[0] == 0
    assert len(laptop.installs) == 2


def test_a_missing_interpreter_is_replaced(laptop: Laptop) -> None:
    """An environment whose interpreter was removed or replaced is created again."""
    laptop.interpreter("bin/python3.13")
    assert laptop.run()[0] == 0
    (laptop.venv / "bin" / "python").unlink()
    assert laptop.run()[0] == 0
    assert len(laptop.installs) == 2


def test_uv_is_installed_once(laptop: Laptop) -> None:
    """Pip installs uv once, and uv installs all other packages, also for a changed lock file."""
    laptop.interpreter("bin/python3.13")
    assert laptop.run()[0] == 0
    (laptop.project / DEV).write_text(LOCK)
    assert laptop.run()[0] == 0
    assert laptop.lines("pip-runs") == ["bin/python3.13"]
    assert len(laptop.installs) == 2


def test_the_demo_needs_no_tools(laptop: Laptop) -> None:
    """The demo's environment has only the packages of the runtime; the first check adds the tools."""
    laptop.interpreter("bin/python3.13")
    for name in ("runtime", "runtime", "dev", "runtime", "dev"):
        assert laptop.run(name)[0] == 0
    assert [line.split()[2] for line in laptop.lines("uv-runs")] == [RUNTIME, DEV]


def test_pip_settings_reach_uv(laptop: Laptop) -> None:
    """An index, certificate or proxy configured for pip is used by uv, and an environment variable wins."""
    laptop.interpreter("bin/python3.13")
    config = """
:env:.cert='/etc/cert.pem'
global.cert='/etc/other.pem'
global.index-url='https://packages.invalid/simple'
install.index-url='https://install.invalid/simple'
"""
    assert laptop.run(FAKE_CONFIG=config, ALL_PROXY="http://proxy.invalid")[0] == 0
    environment = dict(line.partition("=")[::2] for line in laptop.lines("uv-environment"))
    assert environment["UV_DEFAULT_INDEX"] == "https://install.invalid/simple"
    assert environment["SSL_CERT_FILE"] == "/etc/cert.pem"
    assert environment["ALL_PROXY"] == "http://proxy.invalid"
    assert environment["UV_INSECURE_HOST"] == ""
    assert environment["UV_NO_CONFIG"] == "true"


def test_the_index_of_uv_wins(laptop: Laptop) -> None:
    """An index that is set for uv wins over that of pip."""
    laptop.interpreter("bin/python3.13")
    config = "global.index-url='https://pip.invalid/simple'"
    assert laptop.run(FAKE_CONFIG=config, UV_DEFAULT_INDEX="https://uv.invalid/simple")[0] == 0
    assert "UV_DEFAULT_INDEX=https://uv.invalid/simple" in laptop.lines("uv-environment")


@pytest.mark.parametrize("fails", ["FAKE_UV", "FAKE_PIP"])
def test_a_failed_install_leaves_nothing(laptop: Laptop, fails: str) -> None:
    """A failed install prints the installer's output and one line of ours, and leaves no environment."""
    laptop.interpreter("bin/python3.13")
    status, _, errors = laptop.run(**{fails: "echo 'error: no route to host' >&2; exit 1"})
    assert status == 1
    first, last = errors.splitlines()
    assert first == "error: no route to host"
    expected = (
        "uv could not install requirements-dev.txt"
        if fails == "FAKE_UV"
        else "pip could not install local/uv"
    )
    assert last.startswith(f"setup: {expected}")
    assert not laptop.venv.exists()
    assert laptop.run()[0] == 0


def test_a_failed_renewal_keeps_the_old_environment(laptop: Laptop) -> None:
    """A failed install for a changed lock file keeps the old environment."""
    laptop.interpreter("bin/python3.13")
    assert laptop.run()[0] == 0
    (laptop.venv / "old").touch()
    (laptop.project / DEV).write_text(LOCK.replace("1.0", "1.1"))
    assert laptop.run(FAKE_UV="exit 1")[0] == 1
    assert (laptop.venv / "old").exists()
    assert laptop.run()[0] == 0
    assert not (laptop.venv / "old").exists()


@pytest.mark.parametrize("installer", ["FAKE_UV", "FAKE_PIP"])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_install_leaves_nothing(laptop: Laptop, sent: signal.Signals, installer: str) -> None:
    """Ctrl-C stops the installer and its children, removes the environment, and is in the exit status."""
    laptop.interpreter("bin/python3.13")
    process, pids = laptop.start_endless(installer)
    process.send_signal(sent)
    process.communicate(timeout=30)
    assert process.returncode == 128 + sent
    assert not laptop.venv.exists()
    until(lambda: not any(is_running(pid) for pid in pids))


def test_ctrl_c_is_answered_with_one_line(laptop: Laptop) -> None:
    """Set-up ends with the status that `make serve` asks for, which makes make add no error of its own."""
    laptop.interpreter("bin/python3.13")
    process, _ = laptop.start_endless("FAKE_UV", STATUS_AFTER_CTRL_C="0")
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert output.splitlines()[-1] == "Stopped; the set-up can be run again."


def test_an_install_under_nohup_is_stopped(laptop: Laptop) -> None:
    """If Ctrl-C and hang-up are ignored from the start, SIGTERM stops set-up and leaves nothing."""
    laptop.interpreter("bin/python3.13")
    process, pids = laptop.start_endless("FAKE_UV", under=NOHUP)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGHUP)
    time.sleep(0.7)
    assert process.poll() is None
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert not laptop.venv.exists()
    until(lambda: not any(is_running(pid) for pid in pids))


def test_a_killed_run_is_started_over(laptop: Laptop) -> None:
    """A run after one that was killed creates the environment from the start."""
    laptop.interpreter("bin/python3.13")
    assert laptop.run(FAKE_UV="kill -9 $PPID")[0] == -signal.SIGKILL
    assert laptop.venv.exists()
    assert laptop.run()[0] == 0
    assert len(laptop.installs) == 2


def test_two_runs_at_once_take_turns(laptop: Laptop) -> None:
    """Of two runs at once, the second waits, says so, and uses the environment of the first."""
    laptop.interpreter("bin/python3.13")
    go = laptop.folder / "go"
    waits_for_go = f"while ! [ -e '{go}' ]; do sleep 0.02; done"
    first = laptop.start("dev", FAKE_UV=waits_for_go)
    until(lambda: len(laptop.installs) == 1)
    second = laptop.start("dev", FAKE_UV=waits_for_go)
    assert second.stdout is not None
    assert second.stdout.readline() == "Another set-up is running; waiting for it\n"
    go.touch()
    assert first.communicate(timeout=30)[1] == ""
    assert second.communicate(timeout=30) == ("", "")
    assert (first.returncode, second.returncode) == (0, 0)
    assert len(laptop.installs) == 1


def test_a_missing_lock_is_named(laptop: Laptop) -> None:
    """The message about a missing lock file names the command that writes it."""
    laptop.interpreter("bin/python3.13")
    (laptop.project / DEV).unlink()
    assert laptop.run() == (1, "", "setup: requirements-dev.txt is missing; make lock writes it\n")


def test_the_extensions_are_unpacked_in_a_folder_with_an_apostrophe(tmp_path: Path) -> None:
    """DuckDB takes its extensions from a checkout whose path has a space and an apostrophe."""
    script = (SCRIPTS / "setup.sh").read_text()
    program = script.split("$unfinished/bin/python\" -c '\n")[1].split("\n'")[0]
    one = program.replace('("icu", "ducklake", "spatial")', '("icu",)')
    assert one != program
    home = tmp_path / "o'brien's checkout"
    home.mkdir()
    (home / "venv").symlink_to(SCRIPTS.parent / ".venv-bigquery")
    subprocess.run([home / "venv/bin/python", "-c", one], env={"HOME": str(home)}, timeout=60, check=True)
    assert list(home.glob(".duckdb/extensions/*/*/icu.duckdb_extension"))


def test_an_unknown_environment_is_refused(laptop: Laptop) -> None:
    """The message about an unknown environment names the known ones."""
    expected = "setup: no environment is called prod; there are runtime, dev, bigquery and uv\n"
    assert laptop.run("prod") == (1, "", expected)
