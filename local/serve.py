"""make serve: keep the stack up, publish its addresses, and stop on a signal or if a part ends."""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.processes import NotReady
from local.stack import topics
from local.stack.stack import DATASET, Stack
from local.terminal import Terminal


def run(stack: Stack, terminal: Terminal, state: Path) -> None:
    """Print the addresses and wait. Raises NotReady if a part ends by itself."""
    with endpoints_file(stack, state / "endpoints.json") as path:
        terminal.title("Ready")
        terminal.entry("Webhook URL", stack.ingest_url)
        terminal.entry("Slack cards", stack.slack.console_url)
        terminal.entry("BigQuery", f"BIGQUERY_EMULATOR_HOST={stack.bigquery_url}")
        terminal.entry("Pub/Sub", f"PUBSUB_EMULATOR_HOST={stack.pubsub_host}")
        terminal.entry("Logs", os.path.relpath(stack.folder))
        terminal.entry("Everything else", os.path.relpath(path))
        terminal.line("\nCtrl-C stops it all. Send something from another terminal:")
        terminal.command("./issuewire send samples/issues.opened.json")
        while True:
            for child in stack.children.values():
                if child.process is not None and child.process.poll() is not None:
                    raise NotReady(f"{child.name} ended by itself.\n{child.last_lines()}")
            time.sleep(0.5)


def refuse_second(state: Path) -> None:
    """Raise NotReady if another serve is up; remove the file of one that was killed."""
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


def endpoints(stack: Stack) -> dict[str, Any]:
    """Return the content of .local/endpoints.json."""
    return {
        **{f"{name}_url": f"{stack.url(name)}/" for name in stack.functions},
        "pubsub_host": stack.pubsub_host,
        "bigquery_url": stack.bigquery_url,
        "slack_url": stack.slack.url,
        "secret_manager_host": stack.secret_manager.host,
        "console_url": stack.slack.console_url,
        "webhook_secret": stack.webhook_secret,
        "project": topics.PROJECT,
        "topic": topics.TOPIC,
        "dataset": DATASET,
        "routes": str(stack.options.routes),
        "logs": str(stack.folder),
        "pids": {"local": os.getpid()} | {name: child.pid for name, child in stack.children.items()},
    }


@contextlib.contextmanager
def endpoints_file(stack: Stack, path: Path) -> Iterator[Path]:
    """Write the endpoints in one step, readable by their owner only; remove them at the end."""
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(endpoints(stack), indent=2) + "\n")
    draft.replace(path)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
