"""What the functions of a running make serve did with a delivery that was sent to it."""

import json
import time
from collections.abc import Iterator, Mapping
from urllib.parse import quote

import click

from ops import local_stack
from ops.playground import Json, Playground
from ops.send.target import Target

WAIT_SECONDS = 3.0
_POLL_SECONDS = 0.1
_HEARD_SECONDS = 1.0  # the feed reads the logs ten times as often
_RETRIES_SECONDS = 1.0  # after this, what is tried again is not waited for

type Functions = Mapping[str, Json]


def wait_for(target: Target, delivery_id: str, answer: str) -> Functions | None:
    """Return what each subscriber did so far, by name: once all have, and after WAIT_SECONDS at the latest.

    None if that is not known: the target is no running make serve, or ingest has published nothing. The
    delivery was accepted in any case, so a playground that does not answer is no error.
    """
    stack, message_id = local_stack.find(), _message_id(answer)
    is_here = stack is not None and target.url.rstrip("/") == stack.ingest_url.rstrip("/")
    if stack is None or not is_here or not stack.console_url or message_id is None:
        return None
    try:
        return _poll(
            Playground(stack.console_url), f"api/deliveries/{quote(delivery_id, safe='')}?short", message_id
        )
    except click.ClickException as error:
        click.echo(f"What became of it is not known: {error.message}", err=True)
        return None


def lines(functions: Functions) -> Iterator[str]:
    """Yield one line for each subscriber."""
    if not functions:
        yield f"No subscriber has logged anything in {WAIT_SECONDS:.0f} s."
    for name, outcome in functions.items():
        yield f"  {name:<13} {outcome['text'] or 'not done yet'}{_attempts(outcome)}"


def _attempts(outcome: Json) -> str:
    attempts = outcome["attempts"]
    if attempts < 2:
        return ""
    return f" ({attempts} attempts so far)" if outcome["state"] == "retrying" else f" (attempt {attempts})"


def _poll(playground: Playground, path: str, message_id: str) -> Functions:
    began = time.monotonic()
    before: Functions = {}
    while True:
        found = playground.get(path)
        passed = time.monotonic() - began
        if found is None and passed >= _HEARD_SECONDS:
            raise click.ClickException("the playground has not heard of it")
        functions: Functions = {}
        if found is not None and found.get("message_id") == message_id:
            functions = found["functions"]
        is_read = functions == before  # of several log lines, some may come a moment later
        if passed >= WAIT_SECONDS or (functions and is_read and _is_enough(functions, passed)):
            return functions
        before = functions
        time.sleep(_POLL_SECONDS)


def _is_enough(functions: Functions, passed: float) -> bool:
    states = {outcome["state"] for outcome in functions.values()}
    said = all(outcome["text"] for outcome in functions.values())
    return said and "waiting" not in states and ("retrying" not in states or passed >= _RETRIES_SECONDS)


def _message_id(answer: str) -> str | None:
    try:
        found = json.loads(answer)
    except ValueError:
        return None
    message_id = found.get("message_id") if isinstance(found, dict) else None
    return message_id if isinstance(message_id, str) else None
