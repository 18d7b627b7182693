"""Finds Google's own Pub/Sub emulator, builds its command, and waits until it answers."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
from google.pubsub_v1 import types

from local.processes import Child, NotReady

# Where installers put the SDK: packages, archives, Homebrew, snap.
_PREFIXES = "/usr/lib /usr/lib64 /usr/share /usr/local/share /usr/local /opt /opt/homebrew/share"
SDK_ROOTS = (
    *(Path(prefix, "google-cloud-sdk") for prefix in _PREFIXES.split()),
    *map(Path, ("/opt/google-cloud-cli", "/snap/google-cloud-cli/current", "/snap/google-cloud-sdk/current")),
)
_JARS = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulator:
    """The programs that run Google's emulator."""

    java: Path
    jar: Path

    def command(self, port: int) -> list[str]:
        """Return the command that serves 127.0.0.1:port: java alone, one process, 1.4 s less than gcloud."""
        # Quick start over peak speed, and a small heap: measured on the emulator, idle about 135 MiB.
        tuned = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m"]
        return [str(self.java), *tuned, "-jar", str(self.jar), "--host=127.0.0.1", f"--port={port}"]

    def server(self, folder: Path, port: int) -> Child:
        """Return the emulator on 127.0.0.1:port, not started; its log is in `folder`."""
        # With LANG=C, java cannot open a folder whose name has letters outside ASCII.
        environment = {"LC_ALL": "C.UTF-8"}
        log = folder / "pubsub.log"
        return Child(name="pubsub", command=self.command(port), log=log, environment=environment)


def choose(pubsub: str) -> Emulator | None:
    """Return what `auto`, `google` or `builtin` means: None is the stand-in. Raises NotReady."""
    try:
        emulator = None if pubsub == "builtin" else find_emulator()
    except FileNotFoundError as error:
        raise NotReady(str(error)) from error
    if pubsub == "google" and emulator is None:
        raise NotReady("Google's Pub/Sub emulator was not found: it needs java and gcloud's pubsub-emulator")
    return emulator


def find_emulator(
    environ: Mapping[str, str] = os.environ, roots: Sequence[Path] = SDK_ROOTS
) -> Emulator | None:
    """Return the emulator, or None without a java on PATH or a jar.

    The jar: PUBSUB_EMULATOR_JAR (FileNotFoundError if that names no file), else the newest under the SDK of
    the gcloud on PATH, else under HOME/google-cloud-sdk or one of the roots. gcloud itself is never run: it
    takes a second to print its folder.
    """
    named = environ.get("PUBSUB_EMULATOR_JAR")
    if named and not Path(named).is_file():
        raise FileNotFoundError(f"PUBSUB_EMULATOR_JAR names no file: {named}")
    path = environ.get("PATH", "")
    if named:
        jar: Path | None = Path(named)
    else:
        gcloud = shutil.which("gcloud", path=path)
        sdk = [Path(gcloud).resolve().parent.parent] if gcloud else []
        home = [Path(environ["HOME"]) / "google-cloud-sdk"] if environ.get("HOME") else []
        jars = next(filter(None, ([*root.glob(_JARS)] for root in (*sdk, *home, *roots))), [])
        jar = max(
            jars, key=lambda jar: [int(number) for number in re.findall(r"\d+", jar.name)], default=None
        )
    java = shutil.which("java", path=path)
    return Emulator(java=Path(java), jar=jar) if java and jar else None


def ready(host: str, timeout: float, process: subprocess.Popen[bytes] | None = None) -> None:
    """Return once a real call is answered at host, as 127.0.0.1:PORT.

    TimeoutError: no answer within that many seconds. RuntimeError: the given process has ended.
    """
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if process is not None and process.poll() is not None:
            raise RuntimeError(
                f"Google's Pub/Sub emulator ended with status {process.returncode} before it answered"
            )
        if _answers(host, min(1.0, end - time.monotonic())):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing answered as Pub/Sub at {host} within {timeout:g} s")


def _answers(host: str, timeout: float) -> bool:
    # A channel per try: an old one waits longer each time before it reconnects.
    with grpc.insecure_channel(host) as channel:
        get_topic = channel.unary_unary(
            "/google.pubsub.v1.Publisher/GetTopic", types.GetTopicRequest.serialize
        )
        try:
            get_topic(types.GetTopicRequest(topic="projects/ready/topics/none"), timeout=max(timeout, 0.01))
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                return True
            if error.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}:
                return False
            raise
    return True
