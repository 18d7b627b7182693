"""ops report: the numbers of one repository, or of all, as HTML, Markdown or JSON."""

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from clients.bigquery import connect
from metrics.figures import MAX_LABELS, Report
from metrics.headline import headline
from ops import ROOT
from ops.cli import json_option, one_line_errors
from ops.local_stack import local_option
from ops.report import markdown
from ops.report.fetch import ReportQuery, fetch
from ops.settings import find_dataset
from ops.stored_errors import stored_errors
from pipeline.team import Team

QUIET_SECONDS = 2.0  # no progress line before this


@click.command()
@local_option
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
    help="The file to write; it is replaced only once the new one is complete.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["html", "md"]),
    default="html",
    show_default=True,
    help="A page, or Markdown; Markdown goes to stdout unless --out is given.",
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    help=f"Show the time in this label; may be repeated. Default: the {MAX_LABELS} most used labels.",
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
    kind: str,
    labels: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write who waits, and the numbers, as HTML or Markdown.

    The report shows who waits for an answer of the team and when it is due, what was opened and closed by
    week, the backlog and its age, the time to first response, to close and in a label, what became of the
    issues of each week, the reopen rate and the delay of the pipeline, as the views count them.

    \b
    Environment:
      TEAM_FILE               the team, its hours and targets; default: config/team.toml
      BIGQUERY_DATASET        PROJECT.DATASET, used where no option names them
      BIGQUERY_EMULATOR_HOST  http://host:port of a local BigQuery
    """  # noqa: D301 - \b is click's mark for a block that is not rewrapped
    if out is None and not as_json and kind == "html":
        raise click.UsageError("give --out FILE, --format md, or --json")
    if out is None and as_json and kind == "md":
        raise click.UsageError("Markdown and JSON both go to stdout: give --out FILE too")
    project, dataset = find_dataset(project, dataset)
    now = datetime.now(UTC)
    if since is not None and since.replace(tzinfo=UTC) > now:
        raise click.BadParameter("is in the future", param_hint="--since")
    if out is not None:
        check_writable(out)
    team = Team.read(os.environ, ROOT / "config")
    figures = read(
        project,
        ReportQuery(
            dataset=dataset,
            repository=repository,
            since=since and since.date(),
            now=now,
            team=team,
            labels=labels,
        ),
    )
    if kind == "md" and out is None:
        click.echo(markdown.render(figures), nl=False)
    if out is not None:
        write(out, markdown.render(figures) if kind == "md" else render_page(figures))
        click.echo(f"wrote {out}", err=as_json)
    if as_json:
        click.echo(json.dumps(headline(figures)))


def render_page(figures: Report) -> str:
    """Return the report as HTML."""
    from ops.report.page import render  # noqa: PLC0415 - matplotlib takes longer to import than --help

    return render(figures)


def read(project: str, query: ReportQuery) -> Report:
    """Return the report. Raises ClickException, and one of clients.bigquery.FAILURES."""
    with stored_errors(project, query.dataset):
        return fetch(connect(project), query, progress())


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
        raise click.ClickException(f"{out} cannot be written: {out.parent} is not a folder")
    if not os.access(out.parent, os.W_OK):
        raise click.ClickException(f"{out} cannot be written: {out.parent} is not writable")


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
