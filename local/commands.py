"""The commands demo, serve and drill, and their options."""

import functools
import os
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from local import serve
from local.bigquery.front import BigQueryFront
from local.demo import digest
from local.demo import run as demo
from local.demo import triage as triage_story
from local.drill import command as drill
from local.drill.schedule import draw
from local.orphans import end_orphans
from local.processes import NotReady, free_port
from local.seed.clock import Clock
from local.seed.fill import fill, prepare
from local.stack.functions import read_functions
from local.stack.options import STATE, TRIAGE, Options
from local.stack.stack import running
from local.stopping import stopping
from local.terminal import Terminal
from ops import local_stack

SEEDS = 10**6
SCHEDULED = frozenset({"reconcile"})  # called by hand
FUNCTIONS = read_functions({*SCHEDULED, "triage"})
PORTS = (*FUNCTIONS, "pubsub", "bigquery", "slack", "secret_manager", "github", "console")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def local() -> None:
    """Run the whole pipeline on this machine."""


def parse_ports(_context: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> dict[str, int]:
    """Read NAME=PORT. Raises BadParameter."""
    ports = {}
    for text in texts:
        name, _, port = text.partition("=")
        if name not in PORTS or not port.isdecimal() or not 0 <= int(port) <= 65535:
            raise click.BadParameter(f"{text!r} is not NAME=PORT with NAME one of {', '.join(PORTS)}")
        ports[name] = int(port)
    return ports


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

# Of demo and serve.
PARTS = (
    click.option(
        "--pubsub",
        type=click.Choice(["auto", "google", "builtin"]),
        default="auto",
        show_default=True,
        help="Google's emulator, our stand-in, or the emulator if it is installed.",
    ),
    click.option(
        "--routes",
        type=click.Path(exists=True, dir_okay=False, path_type=Path, resolve_path=True),
        default=Options().routes,
        help="Routes file.  [default: config/routes.toml]",
    ),
)
OPTIONS = (
    click.option(
        "--port",
        "ports",
        multiple=True,
        callback=parse_ports,
        metavar="NAME=PORT",
        help=f"Fix a port instead of asking the system; NAME is one of {', '.join(PORTS)}.",
    ),
    click.option(
        "--state",
        type=click.Path(file_okay=False, path_type=Path, resolve_path=True),
        default=STATE,
        envvar=local_stack.STATE,
        show_envvar=True,
        help="Folder for logs and endpoints.json.  [default: .local]",
    ),
)


def with_options(options: Sequence[Callable[..., Any]], command: Callable[..., Any]) -> Callable[..., Any]:
    """Add options to a command, the first one first."""
    return functools.reduce(lambda found, option: option(found), reversed(options), command)


def common(use: Callable[..., None]) -> Callable[..., None]:
    """Add the options, and stop everything when a signal comes. `use` is called with its own options too."""

    @functools.wraps(use)
    def run(**given: Any) -> None:
        options = {name: given.pop(name) for name in ("pubsub", "ports", "routes", "state") if name in given}
        # A proxy cannot reach this machine. gRPC and requests read this; the children get no proxy settings.
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1,localhost"
        terminal = Terminal(to_stderr=given.get("as_json", False))
        try:
            with stopping(terminal.stopped):
                chosen = Options(**options)
                if ended := end_orphans(chosen.state):
                    terminal.line(f"Ended what a killed run had left behind: {', '.join(ended)}.")
                use(chosen, terminal, **given)
        except NotReady as error:
            terminal.stop_waiting()
            raise click.ClickException(terminal.error(str(error))) from error

    return with_options(OPTIONS, run)


@local.command("demo")
@partial(with_options, PARTS)
@common
def demo_command(options: Options, terminal: Terminal) -> None:
    """Send a scenario of two repositories to the real functions, and balance the ledger."""
    terminal.line("Issuewire demo: signed GitHub deliveries through the real functions, on this machine.")
    with running(triage_story.prepare(digest.prepare(options)), terminal.part) as stack:
        balanced = demo.run(stack, terminal)
    terminal.line("")
    if not balanced:
        terminal.line(
            f"The ledger does NOT balance; the functions' logs are in {options.state}/run-*/", "bold red"
        )
        sys.exit(1)
    terminal.line("The ledger balances: nothing lost, nothing doubled. Everything is stopped.", "green")
    terminal.line("To open issues, and break what answers them, on a page in your browser:")
    terminal.command('make serve ARGS="--open"')


@local.command("serve")
@partial(with_options, PARTS)
@click.option("--seed", type=click.Choice(["year"]), help="Begin with a year of three repositories.")
@click.option(
    "--triage",
    type=_FILE,
    help="Rules of triage, which acts on the local GitHub.  [default: config/triage.toml]",
)
@click.option(
    "--secret-file", type=_FILE, help="Use the secret of your own webhook, and not a new one for each start."
)
@click.option(
    "--slack-token-file",
    type=_FILE,
    help="Post to Slack itself: a bot token, or an incoming webhook's URL; it is read again for every post.",
)
@click.option("--open", "opens", is_flag=True, help="Open the playground in your browser.")
@click.option("-q", "--quiet", is_flag=True, help="Print no line for each delivery.")
@common
def serve_command(  # noqa: PLR0913 -- each is one option
    options: Options,
    terminal: Terminal,
    *,
    seed: str | None,
    triage: Path | None,
    secret_file: Path | None,
    slack_token_file: Path | None,
    opens: bool,
    quiet: bool,
) -> None:
    """Keep the pipeline up until Ctrl-C; .local/endpoints.json holds every address."""
    terminal.line("Issuewire on this machine.")
    clock, commands = Clock(), (serve.SEND,)
    options = replace(
        options,
        scheduled=SCHEDULED,
        triage=triage or TRIAGE,
        secret_file=secret_file,
        slack_token_file=slack_token_file,
    )
    if seed:
        options, commands = prepare(options, clock), (serve.SEND, serve.REPORT)
    bigquery = options.ports.get("bigquery") or free_port()
    with serve.alone(options.state), BigQueryFront(bigquery) as front:
        behind = replace(
            options,
            ports=options.ports | {"bigquery": bigquery},
            environment=options.environment | {"BIGQUERY_EMULATOR_HOST": front.url},
        )
        with running(behind, terminal.part) as stack:
            if seed:
                terminal.title("A year of three repositories")
                fill(stack, clock, terminal.line)
            serve.run(stack, terminal, options.state, commands, front=front, opens=opens, quiet=quiet)


@local.command("drill")
@click.option("--seed", type=click.IntRange(0), help="Repeat a drill.  [default: a new one]")
@click.option(
    "--minutes",
    type=click.FloatRange(0.05, 60),
    default=1.0,
    show_default=True,
    help="How long issues change.",
)
@click.option(
    "--events",
    type=click.IntRange(1, 600),
    default=100,
    show_default=True,
    help="Changes of issues a minute.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON, and progress to stderr.")
@common
def drill_command(  # noqa: PLR0913 -- each is one option
    options: Options, terminal: Terminal, *, seed: int | None, minutes: float, events: int, as_json: bool
) -> None:
    """Let everything fail while deliveries flow, then repair: nothing may be lost or doubled."""
    seed = random.randrange(SEEDS) if seed is None else seed
    schedule = draw(seed, 60 * minutes, events, tuple(drill.CHANNELS))
    is_even = drill.run(options, terminal, schedule, as_json=as_json)
    terminal.line(
        f'The same drill again: make drill ARGS="--seed {seed} --minutes {minutes:g} --events {events}"'
    )
    if not is_even:
        terminal.line(
            f"The ledger does NOT balance; the functions' logs are in {options.state}/run-*/", "bold red"
        )
        sys.exit(1)
    terminal.line("The ledger balances: lost 0, doubled 0, out of date 0. Everything is stopped.", "green")
