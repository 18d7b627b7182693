"""The second nets, by a button: a run of reconcile, and what is held as dead letters driven again."""

import json
import os
import subprocess
import sys
from typing import Any, Final

import requests

from local.console.interruption import NoAnswer
from local.processes import ROOT
from local.stack import topics
from local.stack.stack import Stack

SECONDS: Final = 120.0

type Json = dict[str, Any]


class Nets:
    """The nets of one stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def reconcile(self) -> Json:
        """Call reconcile as Cloud Scheduler does, and return its summary. Raises NoAnswer."""
        if "reconcile" not in self._stack.functions:
            raise NoAnswer("reconcile does not run here")
        try:
            with requests.Session() as session:
                session.trust_env = False  # no proxy reaches this machine
                answer = session.post(f"{self._stack.url('reconcile')}/", json={}, timeout=SECONDS)
                found = answer.json()
        except requests.RequestException as error:
            raise NoAnswer(f"reconcile gave no answer that can be read: {type(error).__name__}") from error
        if answer.status_code != 200 or not isinstance(found, dict):
            raise NoAnswer(f"the run of reconcile failed ({answer.status_code}): {answer.text[:300]}")
        return {"text": _summary(found), **found}

    def replay(self) -> Json:
        """Drive again what is held, by ./issuewire dead-letters replay --all. Raises NoAnswer."""
        command = [sys.executable, "-m", "ops", "dead-letters", "replay", "--all", "--yes", "--json"]
        there = {
            "PUBSUB_TOPIC": topics.topic_path(),
            "PUBSUB_EMULATOR_HOST": self._stack.pubsub_host,
        }
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=os.environ | there,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise NoAnswer(f"the replay was not over after {SECONDS:.0f} s") from error
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["it ended without a word"]
            raise NoAnswer(f"the replay failed: {lines[-1].removeprefix('Error: ')}")
        found: Json = json.loads(done.stdout.splitlines()[-1])
        count = found["replayed"]
        text = "No message is held." if not count else f"Published again: {count} held."
        return {"text": text, **found}


def _summary(found: Json) -> str:
    counts = ", ".join(f"{name} {value}" for name, value in found.items() if isinstance(value, int) and value)
    return f"reconcile ran: {counts or 'nothing was missing'}."
