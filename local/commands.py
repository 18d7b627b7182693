"""The commands demo and serve, and their options."""

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from local import serve
from local.demo import run as demo
from local.orphans import end_orphans
from local.processes import NotReady
from local.stack.functions import read_functions
from local.stack.stack import STATE, Options, running
from local.stopping import stopping
from local.terminal import Terminal
from ops import local_stack

PORTS = (*read_functions(), "pubsub", "bigquery", "slack", "secret_manager")


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


OPTIONS = (
    click.option(
        "--pubsub",
        type=click.Choice(["auto", "google", "builtin"]),
        default="auto",
        show_default=True,
        help="Google's emulator, our stand-in, or the emulator if it is installed.",
    ),
    click.option(
        "--port",
        "ports",
        multiple=True,
        callback=parse_ports,
        metavar="NAME=PORT",
        help=f"Fix a port instead of asking the system; NAME is one of {', '.join(PORTS)}.",
    ),
    click.option(
        "--routes",
        type=click.Path(exists=True, dir_okay=False, path_type=Path, resolve_path=True),
        default=Options().routes,
        help="Routes file.  [default: config/routes.toml]",
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


def common(use: Callable[[Options, Terminal], None]) -> Callable[..., None]:
    """Add the options, and stop everything when a signal comes."""

    @functools.wraps(use)
    def run(**options: Any) -> None:
        # A proxy cannot reach this machine. gRPC and requests read this; the children get no proxy settings.
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1,localhost"
        terminal = Terminal()
        try:
            with stopping(terminal.stopped):
                chosen = Options(**options)
                if ended := end_orphans(chosen.state):
                    terminal.line(f"Ended what a killed run had left behind: {', '.join(ended)}.")
                use(chosen, terminal)
        except NotReady as error:
            terminal.stop_waiting()
            raise click.ClickException(terminal.error(str(error))) from error

    return functools.reduce(lambda command, option: option(command), reversed(OPTIONS), run)


@local.command("demo")
@common
def demo_command(options: Options, terminal: Terminal) -> None:
    """Send a scenario of two repositories to the real functions, and balance the ledger."""
    terminal.line("Issuewire demo: signed GitHub deliveries through the real functions, on this machine.")
    with running(options, terminal.part) as stack:
        balanced = demo.run(stack, terminal)
    terminal.line("")
    if not balanced:
        terminal.line(
            f"The ledger does NOT balance; the functions' logs are in {options.state}/run-*/", "bold red"
        )
        sys.exit(1)
    terminal.line("The ledger balances: nothing lost, nothing doubled. Everything is stopped.", "green")


@local.command("serve")
@common
def serve_command(options: Options, terminal: Terminal) -> None:
    """Keep the pipeline up until Ctrl-C; .local/endpoints.json holds every address."""
    terminal.line("Issuewire on this machine.")
    with serve.alone(options.state), running(options, terminal.part) as stack:
        serve.run(stack, terminal, options.state)
