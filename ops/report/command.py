"""ops report: one HTML file with the numbers of one repository, or of all."""

import contextlib
import json
import os
import re
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click
from google.api_core.exceptions import NotFound

from clients.bigquery import connect, first_line
from metrics.figures import Report, headline
from ops.cli import json_option, one_line_errors
from ops.report import fetch as report_queries

DATASET = re.compile(r"(?P<project>[a-z0-9.:-]+)\.(?P<dataset>\w{1,1024})", re.ASCII)
QUIET_SECONDS = 2.0  # what is done by then needs no word


@click.command()
@click.option("--project", help="Google Cloud project of the dataset; default: that of BIGQUERY_DATASET.")
@click.option("--dataset", help="Name of the dataset; default: that of BIGQUERY_DATASET, else github.")
@click.option("--repository", help="owner/name; default: all repositories together.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    help="First day, as 2026-01-31, taken back to its Monday; default: all that is stored.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The HTML file to write; it is replaced only once the new one is complete.",
)
@json_option
@one_line_errors()
def report(  # noqa: PLR0913 - one for each option
    *,
    project: str | None,
    dataset: str | None,
    repository: str | None,
    since: datetime | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Write the numbers as one HTML page, without scripts.

    The page shows what was opened and closed by week, the backlog and its age, the time to close and to first
    response, who waits longest, the reopen rate and the delay of the pipeline, as the views count them.

    \b
    Environment:
      BIGQUERY_DATASET        PROJECT.DATASET, used where no option names them
      BIGQUERY_EMULATOR_HOST  http://host:port of a local BigQuery
    """  # noqa: D301 - \b is click's mark for a block that is not rewrapped
    if out is None and not as_json:
        raise click.UsageError("give --out FILE, or --json")
    where, name = find_dataset(project, dataset)
    now = datetime.now(UTC)
    if since is not None and since.replace(tzinfo=UTC) > now:
        raise click.BadParameter("is in the future", param_hint="--since")
    if out is not None:
        check_writable(out)
    wanted = report_queries.Wanted(dataset=name, repository=repository, since=since and since.date(), now=now)
    figures = ask(where, wanted)
    if out is not None:
        from ops.report.page import render  # noqa: PLC0415 - matplotlib takes longer to import than --help

        write(out, render(figures))
        click.echo(f"wrote {out}", err=as_json)
    if as_json:
        click.echo(json.dumps(headline(figures)))


def find_dataset(project: str | None, dataset: str | None) -> tuple[str, str]:
    """Return project and dataset; what is not given comes from BIGQUERY_DATASET. Raises UsageError."""
    named = os.environ.get("BIGQUERY_DATASET", "").strip()
    default = DATASET.fullmatch(named)
    if named and default is None and (project is None or dataset is None):
        raise click.UsageError("BIGQUERY_DATASET is not of the form PROJECT.DATASET")
    project = project if project is not None or default is None else default["project"]
    if project is None:
        raise click.UsageError("give --project, or set BIGQUERY_DATASET to PROJECT.DATASET")
    if dataset is None:
        dataset = "github" if default is None else default["dataset"]
    if not DATASET.fullmatch(f"x.{dataset}"):
        raise click.BadParameter("use letters, digits and underscores only", param_hint="--dataset")
    if not DATASET.fullmatch(f"{project}.x"):
        raise click.BadParameter("is not a project ID", param_hint="--project")
    return project, dataset


def ask(project: str, wanted: report_queries.Wanted) -> Report:
    """Return the figures. Raises ClickException, and one of clients.bigquery.FAILURES."""
    try:
        return report_queries.fetch(connect(project), wanted, progress())
    except report_queries.UnknownRepository as error:
        shown = ", ".join(error.known[:5]) + (", ..." if len(error.known) > 5 else "")
        raise click.ClickException(f"{error}; stored are: {shown or 'no repositories yet'}") from error
    except NotFound as error:
        raise click.ClickException(
            f"a table or view of {project}.{wanted.dataset} is missing; run ./issuewire schema apply "
            f"--project {project} --dataset {wanted.dataset} ({first_line(error)})"
        ) from error


def progress() -> Callable[[str], None]:
    """Return what tells on stderr what is asked for, once that takes longer than a moment."""
    began = time.monotonic()

    def say(what: str) -> None:
        passed = time.monotonic() - began
        if passed > QUIET_SECONDS:
            click.echo(f"{passed:4.0f} s  reading {what} ...", err=True)

    return say


def check_writable(out: Path) -> None:
    """Raise ClickException when the file could not be written, before BigQuery is asked."""
    if not out.parent.is_dir():
        raise click.ClickException(f"{out} cannot be written: {out.parent} is no folder")
    if not os.access(out.parent, os.W_OK):
        raise click.ClickException(f"{out} cannot be written: {out.parent} takes no new file")


def write(out: Path, text: str) -> None:
    """Put the whole text at `out`, or nothing: into a file beside it, which then takes its place."""
    beside: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=out.parent, prefix=f".{out.name}.", delete=False
        ) as file:
            beside = Path(file.name)
            file.write(text)
        beside.chmod(0o644)
        beside.replace(out)
    except OSError as error:
        if beside is not None:
            with contextlib.suppress(OSError):
                beside.unlink()
        raise click.ClickException(f"{out} cannot be written: {error.strerror}") from error
