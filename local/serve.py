"""Serve: keep the stack up, tell others where it is, and go when asked or when a part has died."""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from local.processes import NotReady
from local.screen import Screen
from local.stack import Stack


def run(stack: Stack, screen: Screen, state: Path) -> None:
    """Print where things are and wait. Raises NotReady when a part ends by itself."""
    with endpoints_file(stack, state / "endpoints.json") as path:
        screen.title("Ready")
        screen.line(f"  Webhook URL      {stack.ingest_url}")
        screen.line(f"  Slack cards      {stack.slack.console_url}")
        screen.line(f"  BigQuery         BIGQUERY_EMULATOR_HOST={stack.bigquery_url}")
        screen.line(f"  Pub/Sub          PUBSUB_EMULATOR_HOST={stack.pubsub_host}")
        screen.line(f"  Logs             {os.path.relpath(stack.folder)}")
        screen.line(f"  Everything else  {os.path.relpath(path)}")
        screen.line("")
        screen.line("  Send something:  ./issuewire send --title 'Export fails'")
        screen.line("  Ctrl-C stops it all.")
        while True:
            for child in stack.children.values():
                if child.process is not None and child.process.poll() is not None:
                    raise NotReady(f"{child.name} ended by itself.\n{child.last_lines()}")
            time.sleep(0.5)


def refuse_second(state: Path) -> None:
    """Raise NotReady when another serve is up; remove the file that a killed one has left."""
    path = state / "endpoints.json"
    try:
        pid = json.loads(path.read_text())["pids"]["local"]
        os.kill(pid, 0)
    except FileNotFoundError:
        return
    except (ValueError, KeyError, TypeError, OSError):
        path.unlink(missing_ok=True)
        return
    raise NotReady(f"make serve is running already (process {pid}); stop it, or use it: {path}")


@contextlib.contextmanager
def endpoints_file(stack: Stack, path: Path) -> Iterator[Path]:
    """Write the endpoints in one step, readable only by you; remove them after."""
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(stack.endpoints(), indent=2) + "\n")
    draft.replace(path)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
