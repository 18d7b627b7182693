"""python -m local demo | serve."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import click

from local import serve
from local.demo import run as demo
from local.processes import NotReady
from local.stack.functions import read_functions
from local.stack.stack import STATE, Options, Stack, running
from local.terminal import Terminal

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

PORTS = (
    *(function.name for function in read_functions()),
    *("pubsub", "bigquery", "slack", "secret_manager"),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def local() -> None:
    """Run the whole pipeline on this machine."""


def common(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that both commands take."""
    options = [
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
            help="Folder for logs and endpoints.json.  [default: .local]",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@local.command("demo")
@common
def demo_command(pubsub: str, ports: tuple[str, ...], routes: Path, state: Path) -> None:
    """Send a scenario of two repositories to the real functions, and balance the ledger."""
    terminal = Terminal()
    terminal.line("Issuewire demo: signed GitHub deliveries through the real functions, on this machine.")
    options = Options(pubsub=pubsub, ports=parse_ports(ports), routes=routes, state=state)
    balanced = with_stack(options, terminal, lambda stack: demo.run(stack, terminal))
    terminal.line("")
    if not balanced:
        terminal.line(f"The ledger does NOT balance; the functions' logs are in {state}/run-*/", "bold red")
        sys.exit(1)
    terminal.line("The ledger balances: nothing lost, nothing doubled. Everything is stopped.", "green")


@local.command("serve")
@common
def serve_command(pubsub: str, ports: tuple[str, ...], routes: Path, state: Path) -> None:
    """Keep the pipeline up until Ctrl-C; .local/endpoints.json holds every address."""
    terminal = Terminal()
    terminal.line("Issuewire on this machine.")
    options = Options(pubsub=pubsub, ports=parse_ports(ports), routes=routes, state=state)
    try:
        serve.refuse_second(state)
    except NotReady as error:
        raise click.ClickException(str(error)) from error
    with_stack(options, terminal, lambda stack: serve.run(stack, terminal, state))


def with_stack[T](options: Options, terminal: Terminal, use: Callable[[Stack], T]) -> T:
    """Run `use` on a started stack; a signal stops everything and exits with 128 + its number."""
    for number in _SIGNALS:
        # nohup ignores a hang-up, so that what it starts outlives its terminal.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _stop)
    # A proxy cannot reach this machine. gRPC and requests read this; the children get no proxy settings.
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1,localhost"
    try:
        with running(options, terminal.part) as stack:
            return use(stack)
    except NotReady as error:
        terminal.stop_waiting()
        raise click.ClickException(str(error)) from error
    except _Stopped as stopped:
        terminal.stop_waiting()
        terminal.line("Stopped; nothing is left running.")
        sys.exit(128 + stopped.number)


def parse_ports(texts: tuple[str, ...]) -> dict[str, int]:
    """Read NAME=PORT. Raises BadParameter."""
    ports = {}
    for text in texts:
        name, _, port = text.partition("=")
        if name not in PORTS or not port.isdecimal() or not 0 <= int(port) <= 65535:
            raise click.BadParameter(
                f"{text!r} is not NAME=PORT with NAME one of {', '.join(PORTS)}", param_hint="--port"
            )
        ports[name] = int(port)
    return ports


class _Stopped(BaseException):
    """A signal asks the program to stop; `except Exception` does not catch it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _stop(number: int, _frame: FrameType | None) -> None:
    """Stop, and ignore further signals: a second Ctrl-C must not interrupt the cleaning."""
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise _Stopped(number)


if __name__ == "__main__":
    local(prog_name="python -m local")
