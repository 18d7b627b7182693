"""The running make serve: the endpoints file that it writes, and the option --local that uses it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import click

from ops import ROOT
from pipeline.errors import Malformed
from pipeline.events import parse_payload

_META = "ops.local_stack"
ENDPOINTS = ROOT / ".local" / "endpoints.json"
STATE = "ISSUEWIRE_STATE"  # the environment variable that names another folder than .local


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalStack:
    """Where the parts of the running stack are; `routes`, `logs` and `slack_token_file` are paths.

    `subscriptions` are the push subscriptions and the URLs of their functions. `team` and `triage` are the
    paths of these files if the stack uses others than those in config, else empty. `github_url` and
    `github_token` lead to its GitHub, which has the issues. `console_url` is the playground.
    """

    ingest_url: str
    webhook_secret: str
    pubsub_host: str
    bigquery_url: str
    project: str
    topic: str
    dataset: str
    slack_url: str
    slack_token_file: str
    routes: str
    logs: str
    subscriptions: Mapping[str, str]
    team: str = ""
    triage: str = ""
    github_url: str = ""
    github_token: str = ""
    console_url: str = ""

    @classmethod
    def parse(cls, endpoints: Mapping[str, Any]) -> Self | None:
        """Return the stack that the file describes, None if it is not complete."""
        optional = ("team", "triage", "github_url", "github_token", "console_url")
        names = [each.name for each in fields(cls) if each.name not in {"subscriptions", *optional}]
        found = {name: endpoints.get(name) for name in names}
        pushed = endpoints.get("subscriptions")
        if not isinstance(pushed, dict) or not all(
            isinstance(value, str) and value for value in (*found.values(), *pushed.values())
        ):
            return None
        texts = {name: str(value) for name, value in found.items()}
        texts |= {name: str(endpoints.get(name) or "") for name in optional}
        return cls(**texts, subscriptions=pushed)


def find() -> LocalStack | None:
    """Return the running stack, None if there is none: no file, a damaged one, or one of a killed stack."""
    state = os.environ.get(STATE)
    path = Path(state, ENDPOINTS.name) if state else ENDPOINTS
    try:
        endpoints = parse_payload(path.read_bytes())
    except (OSError, Malformed):
        return None
    pids = endpoints.get("pids")
    running = isinstance(pids, dict) and _is_running(pids.get("local"))
    return LocalStack.parse(endpoints) if running else None


def chosen(context: click.Context) -> LocalStack | None:
    """Return the stack that --local has chosen."""
    stack = context.meta.get(_META)
    return stack if isinstance(stack, LocalStack) else None


def _use(context: click.Context, _option: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's
    if not value:
        return
    stack = find()
    if stack is None:
        raise click.ClickException("make serve is not running; start it in another terminal")
    context.default_map = {
        "project": stack.project,
        "dataset": stack.dataset,
        "routes_path": stack.routes,
        "logs": stack.logs,
    }
    context.meta[_META] = stack
    context.with_resource(_environment(stack))


# The stack supplies what no other option names; the clients find their stand-ins by the environment.
local_option = click.option(
    "--local",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_use,
    help="Use the make serve that is running on this machine.",
)


@contextmanager
def _environment(stack: LocalStack) -> Iterator[None]:
    """Lead the clients to the stack, past any proxy, until the command ends."""
    proxied = [os.environ.get("no_proxy") or os.environ.get("NO_PROXY", ""), "127.0.0.1", "localhost"]
    changes = {
        "PUBSUB_EMULATOR_HOST": stack.pubsub_host,
        "PUBSUB_TOPIC": f"projects/{stack.project}/topics/{stack.topic}",
        "BIGQUERY_EMULATOR_HOST": stack.bigquery_url,
        **({"TEAM_FILE": stack.team} if stack.team else {}),
        **({"TRIAGE_FILE": stack.triage} if stack.triage else {}),
        **dict.fromkeys(("no_proxy", "NO_PROXY"), ",".join(filter(None, proxied))),
    }
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _is_running(pid: object) -> bool:
    if not isinstance(pid, int) or isinstance(pid, bool) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True
