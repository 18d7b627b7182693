"""make serve: keep the stack up, and publish its addresses."""

import contextlib
import json
import os
import shlex
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from local.bigquery.front import BigQueryFront
from local.console.server import Console
from local.feed.feed import Feed
from local.feed.show import Show
from local.github.server import TOKEN as GITHUB_TOKEN
from local.orphans import lock
from local.processes import NotReady
from local.stack import topics
from local.stack.folders import unwritable
from local.stack.options import DATASET, STATE
from local.stack.parts import Parts
from local.stack.stack import Stack
from local.terminal import Terminal
from ops import local_stack

SEND = "./issuewire send samples/issues.opened.json"
CHECK_SECONDS = 0.5
REPORT = "./issuewire report --local --out report.html"


def run(  # noqa: PLR0913 -- what runs, where it tells of it, and how much
    stack: Stack,
    terminal: Terminal,
    state: Path,
    commands: Sequence[str] = (SEND,),
    *,
    front: BigQueryFront,
    opens: bool = False,
    quiet: bool = False,
) -> None:
    """Print the addresses, commands to try, and unless `quiet` each delivery; start a part again that ends.

    The functions reach BigQuery through `front`. `opens` shows the playground in the user's browser.

    Raises NotReady if it ends again and again.
    """
    with (
        Feed(stack) as feed,
        Console(stack, feed, front) as console,
        endpoints_file(stack, state / "endpoints.json", console.url) as path,
    ):
        terminal.title("Ready")
        terminal.entry("Playground", console.url)
        terminal.entry("Webhook URL", stack.ingest_url)
        terminal.entry(*slack_entry(stack))
        terminal.entry("BigQuery", f"BIGQUERY_EMULATOR_HOST={stack.bigquery_url}")
        terminal.entry("Pub/Sub", f"PUBSUB_EMULATOR_HOST={stack.pubsub_host}")
        terminal.entry("Logs", os.path.relpath(stack.folder))
        terminal.entry("Everything else", os.path.relpath(path))
        terminal.line("\nCtrl-C stops it all. From another terminal, in this folder:")
        for command in commands:
            terminal.command(shell_command(state, command))
        if opens:
            # Some browsers keep the call until they are closed.
            threading.Thread(target=webbrowser.open, args=(console.url,), daemon=True).start()
        if not quiet:
            terminal.title("Deliveries")
        rewrite = partial(write_endpoints, stack, path, console.url)
        watch(stack, feed, terminal, rewrite, quiet=quiet)


def watch(
    stack: Stack, feed: Feed, terminal: Terminal, rewrite: Callable[[], None], *, quiet: bool
) -> NoReturn:
    """Print what happens, and start again what ends; `rewrite` then writes the endpoints.

    Raises NotReady if a part ends again and again.
    """

    def say(kind: str, part: str, text: str) -> None:
        terminal.line(text)
        feed.tell(part="stack", kind=kind, text=text, level="warning", name=part)

    parts, show, checked = Parts(stack, say), Show(feed, terminal), 0.0
    while True:
        if time.monotonic() - checked >= CHECK_SECONDS:
            if parts.restart_ended():
                rewrite()
            checked = time.monotonic()
        if quiet:
            time.sleep(CHECK_SECONDS)
        else:
            show.next()


def slack_entry(stack: Stack) -> tuple[str, str]:
    """Return where the cards are."""
    if not stack.slack_is_real:
        return "Slack cards", stack.slack.console_url
    where = f"the channels of {os.path.relpath(stack.options.routes)} must exist there, with the app invited"
    return "Slack", f"your own; {where} (an incoming webhook has its own channel)"


def shell_command(state: Path, command: str) -> str:
    """Return the command for the shell that reaches the serve of this folder."""
    return command if state == STATE else f"{local_stack.STATE}={shlex.quote(str(state))} {command}"


@contextlib.contextmanager
def alone(state: Path) -> Iterator[None]:
    """Be the only serve of this folder until the block ends. Raises NotReady if another one is up."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        file = (state / "serve.lock").open("a+")
    except OSError as error:
        raise unwritable(state, error) from error
    with file:
        file.seek(0)
        if not lock(file):
            raise NotReady(
                f"make serve is running already (process {file.read()}); "
                f"stop it, or use it: {state / 'endpoints.json'}"
            )
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        (state / "endpoints.json").unlink(missing_ok=True)  # that of one that was killed
        yield


def endpoints(stack: Stack, console_url: str = "") -> dict[str, Any]:
    """Return the content of .local/endpoints.json."""
    return {
        **{f"{name}_url": f"{stack.url(name)}/" for name in stack.functions},
        "pubsub_host": stack.pubsub_host,
        "bigquery_url": stack.bigquery_url,
        "github_url": stack.github.url,
        "github_token": GITHUB_TOKEN,
        "slack_url": stack.slack_api_url,
        "slack_token_file": str(stack.slack_token_file),
        "subscriptions": {of: f"{stack.url(name)}/" for name, of in stack.functions.items() if of},
        "secret_manager_host": stack.secret_manager.host,
        "console_url": console_url,
        "webhook_secret": stack.webhook_secret,
        "project": topics.PROJECT,
        "topic": topics.TOPIC,
        "dataset": DATASET,
        "routes": str(stack.options.routes),
        "team": stack.options.environment.get("TEAM_FILE", ""),
        "triage": str(stack.options.triage.absolute()),
        "logs": str(stack.folder),
        "pids": {"local": os.getpid()} | {name: child.pid for name, child in stack.children.items()},
    }


def write_endpoints(stack: Stack, path: Path, console_url: str = "") -> None:
    """Write the endpoints in one step, readable by their owner only."""
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(endpoints(stack, console_url), indent=2) + "\n")
    draft.replace(path)


@contextlib.contextmanager
def endpoints_file(stack: Stack, path: Path, console_url: str = "") -> Iterator[Path]:
    """Write the endpoints, and remove them at the end."""
    write_endpoints(stack, path, console_url)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
