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
from google.api_core.exceptions import GoogleAPICallError, NotFound, RetryError
from google.auth.exceptions import GoogleAuthError
from requests.exceptions import RequestException

from metrics.figures import Report
from metrics.headline import headline
from ops.report.fetch import ReportQuery, UnknownRepository, fetch
from ops.schema import connect

DATASET = re.compile(r"(?P<project>[a-z0-9.:-]+)\.(?P<dataset>\w{1,1024})", re.ASCII)
QUIET_SECONDS = 2.0  # no progress line before this


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
@click.option("--json", "as_json", is_flag=True, help="Print the headline numbers as one JSON object.")
def report(  # noqa: PLR0913 - one for each option
    *,
    project: str | None,
    dataset: str | None,
    repository: str | None,
    since: datetime | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Write how issues are answered into one HTML file that needs no network and no scripts.

    Opened, closed and backlog by week, time to close and to first response, the backlog's age, the issues
    that wait longest, the reopen rate and the pipeline's own delay, read from the dataset's views.

    BIGQUERY_DATASET=project.dataset names the default; BIGQUERY_EMULATOR_HOST=http://host:port
    selects a local BigQuery.
    """
    if out is None and not as_json:
        raise click.UsageError("give --out FILE, or --json")
    project, dataset = find_dataset(project, dataset)
    now = datetime.now(UTC)
    if since is not None and since.replace(tzinfo=UTC) > now:
        raise click.BadParameter("is in the future", param_hint="--since")
    if out is not None:
        check_writable(out)
    figures = read(
        project, ReportQuery(dataset=dataset, repository=repository, since=since and since.date(), now=now)
    )
    if out is not None:
        from ops.report.page import render  # noqa: PLC0415 - matplotlib takes longer to import than --help

        write(out, render(figures))
        click.echo(f"wrote {out}", err=as_json)
    if as_json:
        click.echo(json.dumps(headline(figures)))


def find_dataset(project: str | None, dataset: str | None) -> tuple[str, str]:
    """Return project and dataset; BIGQUERY_DATASET supplies what is not given. Raises UsageError."""
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
        raise click.BadParameter("is no project's id", param_hint="--project")
    return project, dataset


def read(project: str, query: ReportQuery) -> Report:
    """Return the report. Raises ClickException, in one line, for every error of BigQuery."""
    try:
        return fetch(connect(project, None), query, progress())
    except UnknownRepository as error:
        shown = ", ".join(error.known[:5]) + (", ..." if len(error.known) > 5 else "")
        raise click.ClickException(f"{error}; stored are: {shown or 'no repositories yet'}") from error
    except NotFound as error:
        raise click.ClickException(
            f"a table or view of {project}.{query.dataset} is missing; run python -m ops schema apply "
            f"--project {project} --dataset {query.dataset} ({_first_line(error)})"
        ) from error
    except (GoogleAPICallError, RetryError, RequestException, TimeoutError) as error:
        raise click.ClickException(f"BigQuery refused or did not answer: {_first_line(error)}") from error
    except GoogleAuthError as error:
        raise click.ClickException(
            f"no credentials: {_first_line(error)}; run gcloud auth application-default login"
        ) from error


def progress() -> Callable[[str], None]:
    """Return a function that prints each step on stderr, from QUIET_SECONDS on."""
    start = time.monotonic()

    def show(subject: str) -> None:
        elapsed = time.monotonic() - start
        if elapsed > QUIET_SECONDS:
            click.echo(f"{elapsed:4.0f} s  reading {subject} ...", err=True)

    return show


def check_writable(out: Path) -> None:
    """Raise ClickException if the file cannot be written, before BigQuery is queried."""
    if not out.parent.is_dir():
        raise click.ClickException(f"{out} cannot be written: {out.parent} is no folder")
    if not os.access(out.parent, os.W_OK):
        raise click.ClickException(f"{out} cannot be written: {out.parent} takes no new file")


def write(out: Path, text: str) -> None:
    """Write the file completely or not at all: a temporary file in the same folder replaces it."""
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=out.parent, prefix=f".{out.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(text)
        temporary.chmod(0o644)
        temporary.replace(out)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        raise click.ClickException(f"{out} cannot be written: {error.strerror}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
