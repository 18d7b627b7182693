"""ops doctor: the command."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import click
from click.core import ParameterSource

from metrics.wording import count
from ops import ROOT, local_stack
from ops.cli import json_option, one_line_errors
from ops.doctor.checks import CHECKS
from ops.doctor.finding import Report, examine
from ops.doctor.reading.configuration import read_configuration
from ops.doctor.reading.deployed import SOURCE, read_deployed
from ops.doctor.reading.local import read_local
from ops.local_stack import local_option
from ops.report.command import progress
from ops.routes.command import file_option
from ops.why.wording import printable

WRONG, NOT_ALL_CHECKED = 1, 3  # 2 is a wrong call


@click.command()
@click.argument("sources", metavar="[OWNER/REPO|ORGANIZATION]...", nargs=-1)
@local_option
@file_option
@click.option(
    "--ping", is_flag=True, help="Have GitHub send a signed ping to each webhook; nothing else is ever sent."
)
@json_option
@click.pass_context
@one_line_errors()
def doctor(
    context: click.Context, sources: tuple[str, ...], *, routes_path: Path, ping: bool, as_json: bool
) -> None:
    """Name what is wrong, and the command that fixes it.

    Only reads: GitHub's webhooks, ingest from outside, Slack, BigQuery, the routes and the team file, the
    clocks, and what `./deploy.sh status` reads. Without a name, the webhooks of GITHUB_SOURCES are read, or
    those that were created from this checkout. What your account may not see is named as not checked.

    Each finding is a heading in docs/operations.md.

    Exit status: 0 if nothing is wrong, 1 if something is, 3 if nothing is wrong in what could be checked,
    2 for a wrong call.

    \b
    Environment:
      GITHUB_TOKEN_FILE or GITHUB_TOKEN   a token that may read webhooks
      GITHUB_APP_ID, GITHUB_APP_KEY_FILE  a GitHub App instead, and the file of its private key
      GITHUB_SOURCES                      OWNER/REPO and organizations, by commas
      INGEST_URL                          the webhooks' URL; default: that of the deployed function
      SLACK_TOKEN_FILE or SLACK_TOKEN     default: the secret of the deployed function
      PROJECT and the others              as in deploy.env
    """  # noqa: D301 - \b is click's mark for a block that is not rewrapped
    unknown = [source for source in sources if not SOURCE.fullmatch(source)]
    if unknown:
        raise click.BadParameter(f"{unknown[0]} is neither OWNER/REPO nor an organization")
    stack, show = local_stack.chosen(context), progress()
    if stack and (sources or ping):
        raise click.UsageError("--local looks at no webhook of GitHub; leave out the names and --ping")
    if stack:
        found = read_configuration(routes_path, os.environ, ROOT / "config")
        facts = read_local(stack, found, show)
    else:
        given = context.get_parameter_source("routes_path") != ParameterSource.DEFAULT
        facts = read_deployed(sources, routes_path if given else None, show, ping=ping)
    report = examine(CHECKS, facts)
    click.echo(json.dumps(asdict(report)) if as_json else "\n".join(lines(report)))
    sys.exit(WRONG if report.findings else NOT_ALL_CHECKED if report.not_checked else 0)


def lines(report: Report) -> list[str]:
    """Return a line for each finding and for what was not checked, or one line if there is none.

    What GitHub, Slack and BigQuery have answered may hold line breaks, and what a terminal would obey.
    """
    width = max((len(finding.slug) for finding in report.findings), default=0)
    found = [f"BAD  {each.slug:<{width}}  {each.text.rstrip('.')}; {each.fix}" for each in report.findings]
    unknown = [
        f"?    {each.what} not checked: {each.why.rstrip('.')}; {each.fix}" for each in report.not_checked
    ]
    shown = [printable(" ".join(line.splitlines())) for line in (*found, *unknown)]
    return shown or [f"Nothing is wrong: {count(report.looked_at, 'thing')} checked."]
