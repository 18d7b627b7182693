"""The launcher finds Google's emulator, and waits until it answers."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.pubsub.emulator import Emulator, find_emulator, ready
from local.pubsub.server import PubSubServer


def program(path: Path) -> Path:
    """Create an executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\nexit 1\n")
    path.chmod(0o755)
    return path


def jar(sdk: Path, version: str = "0.8.20") -> Path:
    """Create the emulator's jar in an SDK."""
    path = sdk / f"platform/pubsub-emulator/lib/cloud-pubsub-emulator-{version}-all.jar"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


@pytest.fixture
def java(tmp_path: Path) -> Path:
    """Create a java in the folder that the tests use as PATH."""
    return program(tmp_path / "bin/java")


def test_jar_under_the_sdk_of_gcloud(tmp_path: Path, java: Path) -> None:
    """The jar is found in the SDK that the gcloud on PATH links to."""
    gcloud = program(tmp_path / "sdk/bin/gcloud")
    expected = jar(tmp_path / "sdk")
    (java.parent / "gcloud").symlink_to(gcloud)
    found = find_emulator({"PATH": str(java.parent)}, roots=())
    assert found == Emulator(java=java, jar=expected)


def test_gcloud_before_the_usual_places(tmp_path: Path, java: Path) -> None:
    """The SDK of the gcloud on PATH wins over other installed ones."""
    (java.parent / "gcloud").symlink_to(program(tmp_path / "sdk/bin/gcloud"))
    expected = jar(tmp_path / "sdk")
    jar(tmp_path / "usual", "9.9.9")
    found = find_emulator({"PATH": str(java.parent)}, roots=[tmp_path / "usual"])
    assert found is not None
    assert found.jar == expected


def test_gcloud_without_the_component(tmp_path: Path, java: Path) -> None:
    """A gcloud whose SDK lacks the emulator does not hide one in a usual place."""
    program(java.parent / "gcloud")
    expected = jar(tmp_path / "usual")
    found = find_emulator({"PATH": str(java.parent)}, roots=[tmp_path / "none", tmp_path / "usual"])
    assert found is not None
    assert found.jar == expected


def test_home(tmp_path: Path, java: Path) -> None:
    """An SDK in the home folder is found."""
    expected = jar(tmp_path / "home/google-cloud-sdk")
    found = find_emulator({"PATH": str(java.parent), "HOME": str(tmp_path / "home")}, roots=())
    assert found is not None
    assert found.jar == expected


def test_newest_jar(tmp_path: Path, java: Path) -> None:
    """The newest of several versions is used, compared by number and not by letter."""
    for version in ("0.8.9", "0.8.20", "0.8.3"):
        jar(tmp_path / "usual", version)
    found = find_emulator({"PATH": str(java.parent)}, roots=[tmp_path / "usual"])
    assert found is not None
    assert "0.8.20" in found.jar.name


def test_named_jar(tmp_path: Path, java: Path) -> None:
    """PUBSUB_EMULATOR_JAR wins over every other place; it is an error if it names no file."""
    jar(tmp_path / "usual")
    named = tmp_path / "mine.jar"
    environ = {"PATH": str(java.parent), "PUBSUB_EMULATOR_JAR": str(named)}
    with pytest.raises(FileNotFoundError, match=str(named)):
        find_emulator(environ, roots=[tmp_path / "usual"])
    named.touch()
    assert find_emulator(environ, roots=[tmp_path / "usual"]) == Emulator(java=java, jar=named)


def test_nothing_without_java_or_jar(tmp_path: Path, java: Path) -> None:
    """Without a java, or without a jar, there is no emulator."""
    jar(tmp_path / "usual")
    (tmp_path / "empty").mkdir()
    assert find_emulator({"PATH": str(tmp_path / "empty")}, roots=[tmp_path / "usual"]) is None
    assert find_emulator({}, roots=[tmp_path / "usual"]) is None
    assert find_emulator({"PATH": str(java.parent)}, roots=[tmp_path / "empty"]) is None


def test_command() -> None:
    """The command starts java itself, on the loopback interface alone."""
    command = Emulator(java=Path("/j/java"), jar=Path("/s/e.jar")).command(8085)
    assert command[0] == "/j/java"
    assert command[-4:] == ["-jar", "/s/e.jar", "--host=127.0.0.1", "--port=8085"]
    assert all(flag.startswith("-X") for flag in command[1:-4])


def test_ready_once_it_answers() -> None:
    """A server that answers is ready."""
    server = PubSubServer()
    host = server.start()
    try:
        ready(host, 10)
    finally:
        server.stop()
    with pytest.raises(TimeoutError, match=host):
        ready(host, 0.3)


def test_not_ready_while_it_only_listens() -> None:
    """An open port that does not answer calls is not ready."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(TimeoutError, match="nothing answered"):
            ready(host, 0.3)


def test_process_that_ends_is_not_waited_for() -> None:
    """If the emulator's process ends, the wait ends too and reports its status."""
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]) as process:
        process.wait(10)
        with pytest.raises(RuntimeError, match="status 3"):
            ready("127.0.0.1:1", 600, process)
