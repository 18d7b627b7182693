"""The command bench: measure, print, and write bench/RESULTS.md."""

import contextlib
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import click

from bench import views
from bench.checkout import Checkout, CheckoutError, other_checkout
from bench.clock import Clock
from bench.figures import Figure
from bench.functions import WrongAnswer
from bench.measures import cold, memory, warm
from bench.measures.card_cpu import card_cpu
from bench.measures.effect import effect
from bench.measures.page import page
from bench.results import Results
from bench.run import FULL, QUICK, SMOKE, Run, Size
from bench.worker import Worker, WorkerFailed
from local.processes import ROOT, NotReady
from local.stopping import stopping

RESULTS = Path(__file__).parent / "RESULTS.md"
PACKAGES = ("functions-framework", "google-cloud-pubsub", "google-cloud-bigquery", "slack-sdk", "grpcio")
FAILURES = (WrongAnswer, WorkerFailed, NotReady, CheckoutError, OSError)

# In this order; the share is that of the time which the first two leave.
MEASURES: dict[str, tuple[float, Callable[[Run], list[Figure]]]] = {
    "memory": (100, memory.memory),
    "cold_ingest": (25, cold.ingest),
    "cold_notify_slack": (25, cold.notify_slack),
    "cold_stream_bq": (25, cold.stream_bq),
    "warm": (40, warm.ingest),
    "slow": (40, warm.slow),
    "alone": (40, warm.alone),
    "stream_bq": (45, warm.stream_bq),
    "card_cpu": (45, card_cpu),
}
VIEWS = "views"
PAGE = "page"
NAMES = (VIEWS, PAGE, *MEASURES)
EFFECT = "effect"  # takes four minutes, which GitHub's limits ask for: only by its name


def parse_names(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[str, ...]:
    """Read NAME,... Raises BadParameter."""
    names = text.split(",") if text else NAMES
    for name in names:
        if name not in (*NAMES, EFFECT):
            raise click.BadParameter(f"{name!r} is none of {', '.join((*NAMES, EFFECT))}")
    return tuple(name for name in (*NAMES, EFFECT) if name in names)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, envvar="QUICK", help="Fewer rounds: under two minutes.")
@click.option("--smoke", is_flag=True, hidden=True, help="Hardly any rounds: whether the bench works.")
@click.option(
    "--only",
    "names",
    callback=parse_names,
    metavar="NAME,...",
    help=f"Of {', '.join(NAMES)}, and {EFFECT}, which takes four minutes more.",
)
@click.option("--against", metavar="REF_OR_DIR", help="Measure another checkout too, in the same run.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--no-write", is_flag=True, help="Leave bench/RESULTS.md as it is.")
def bench(  # noqa: PLR0913 -- each is one option
    *, quick: bool, smoke: bool, names: tuple[str, ...], against: str | None, as_json: bool, no_write: bool
) -> None:
    """Measure the functions against bare ones, in under eight minutes on two cores.

    A full run of all measures writes bench/RESULTS.md. The exit status is 0 if every figure keeps its bar, 1
    if one misses it, and 2 if something could not be measured.
    """
    size = SMOKE if smoke else QUICK if quick else FULL
    try:
        with stopping(partial(click.echo, err=True)), contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="issuewire-bench-")))
            before = stack.enter_context(other_checkout(against, folder)) if against else None
            results = measure(folder, size, names, before)
    except CheckoutError as error:
        raise click.ClickException(str(error)) from error
    if names == NAMES and size is FULL and not no_write:
        RESULTS.write_text(results.markdown(), encoding="utf-8")
    if as_json:
        click.echo(results.json())
    click.echo(results.sentence() if as_json else results.markdown(), nl=as_json, err=as_json)
    sys.exit(results.status)


def measure(folder: Path, size: Size, names: tuple[str, ...], before: Checkout | None) -> Results:
    """Run the measures; one that fails does not stop the others."""
    began, load_before = time.monotonic(), os.getloadavg()
    figures: list[Figure] = []
    failures: dict[str, str] = {}
    found: list[views.View] = []
    with _recording(failures, VIEWS):
        found = views.measure(folder, size.view_rounds) if VIEWS in names else []
    with _recording(failures, PAGE):
        figures += page(folder, size.page_issues) if PAGE in names else []
    with _recording(failures, EFFECT):
        figures += effect(folder, size.issues) if EFFECT in names else []
    chosen = {name: MEASURES[name] for name in names if name in MEASURES}
    seconds = size.seconds * (1.75 if before else 1) - (time.monotonic() - began)
    with (
        Worker("bench.stubs", folder / "stubs.log") as stubs,
        Worker("bench.load", folder / "load.log") as load,
    ):
        run = Run(
            folder=folder,
            stubs=stubs,
            load=load,
            hosts=stubs.ask(about="start"),
            now=Checkout(name="this checkout", folder=ROOT),
            before=before,
            clock=Clock(seconds, {name: share for name, (share, _) in chosen.items()}),
            size=size,
        )
        for name, (_, measurement) in chosen.items():
            with _recording(failures, name):
                figures += measurement(run)
    return Results(
        machine=_machine(load_before, time.monotonic() - began),
        before=before.name if before else "",
        figures=figures,
        views=found,
        failures=failures,
    )


@contextlib.contextmanager
def _recording(failures: dict[str, str], name: str) -> Iterator[None]:
    try:
        yield
    except FAILURES as error:
        failures[name] = str(error)
        click.echo(f"{name} could not be measured: {error}", err=True)


def _machine(load_before: tuple[float, float, float], seconds: float) -> list[str]:
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return [
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}",
        versions,
        f"load average {load_before[0]:.1f} before and {os.getloadavg()[0]:.1f} after; {seconds:.0f} s",
    ]
