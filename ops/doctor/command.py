"""ops doctor: the command."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click
from click.core import ParameterSource

from clients.github.client import GitHubClient
from clients.github.settings import GitHubSettings
from metrics.wording import count
from ops import ROOT, local_stack
from ops.cli import json_option, one_line_errors
from ops.doctor.checks import CHECKS
from ops.doctor.finding import NotChecked, Report, examine
from ops.doctor.reading.bigquery import read_bigquery
from ops.doctor.reading.cloud import read_cloud, read_newest, read_secret
from ops.doctor.reading.configuration import Configuration, read_configuration
from ops.doctor.reading.ingest import read_ingest
from ops.doctor.reading.local import read_local
from ops.doctor.reading.slack import API_URL, read_slack
from ops.doctor.reading.webhooks import LOG_IN, no_long_wait, read_names, read_webhooks
from ops.local_stack import local_option
from ops.report.command import progress
from ops.routes.command import file_option
from pipeline.errors import ConfigurationError, Unavailable
from pipeline.settings import SettingsReader

HOOKS_FILE = ROOT / ".local" / "webhooks"  # written by ./deploy.sh webhook
EVENTS = ("issues", "issue_comment", "repository")
SOURCE = re.compile(r"[\w-]+(/[\w.-]+)?", re.ASCII)
WRONG, NOT_ALL_CHECKED = 1, 3  # 2 is a wrong call

Show = Callable[[str], None]


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
      GITHUB_TOKEN_FILE or GITHUB_TOKEN  a token that may read webhooks
      GITHUB_SOURCES                     OWNER/REPO and organizations, by commas
      INGEST_URL                         the webhooks' URL; default: that of the deployed function
      SLACK_TOKEN_FILE or SLACK_TOKEN    default: the secret of the deployed function
      PROJECT and the others             as in deploy.env
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
        facts = _read_all(sources, routes_path if given else None, show, ping=ping)
    report = examine(CHECKS, facts)
    click.echo(json.dumps(asdict(report)) if as_json else "\n".join(lines(report)))
    sys.exit(WRONG if report.findings else NOT_ALL_CHECKED if report.not_checked else 0)


def lines(report: Report) -> list[str]:
    """Return a line for each finding and for what was not checked, or one line if there is none."""
    width = max((len(finding.slug) for finding in report.findings), default=0)
    found = [f"BAD  {each.slug:<{width}}  {each.text}; {each.fix}" for each in report.findings]
    unknown = [
        f"?    {each.what} not checked: {each.why.rstrip('.')}; {each.fix}" for each in report.not_checked
    ]
    return [*found, *unknown] or [f"Nothing is wrong: {count(report.looked_at, 'thing')} checked."]


def _read_all(sources: Sequence[str], routes: Path | None, show: Show, *, ping: bool) -> Iterator[object]:
    """Yield every fact about what is deployed; without `routes` those that are deployed are read."""
    show("the cloud, which takes a minute")
    cloud = read_cloud()
    settings, project = cloud.settings, cloud.settings.get("project", "")
    routes = routes or ROOT / settings.get("routes_file", "config/routes.toml")
    found = read_configuration(routes, os.environ, ROOT / "config")
    yield from found.files
    yield from cloud.facts
    sources = sources or _known_sources(settings.get("github_sources", ""))
    known = (os.environ.get("INGEST_URL", ""), settings.get("ingest_addresses", ""))
    addresses = tuple(address for text in known for address in text.split())
    if addresses:
        show("ingest")
        yield from read_ingest(addresses[0])
    else:
        yield NotChecked(what="ingest", why="its address is unknown", fix="export INGEST_URL=https://...")
    yield from _read_github(sources, addresses, settings, found, show, ping=ping)
    if project:
        show("the secrets")
        yield read_secret(project, settings.get("webhook_secret", ""), sources)
        show("BigQuery")
        dataset = settings.get("dataset", "github")
        run = settings.get("run_reconcile")
        fix = f"./issuewire schema apply --project {project} --dataset {dataset}"
        yield from read_bigquery(project, dataset, fix, run=run)
    show("Slack")
    yield from _read_slack(project, settings.get("slack_secret", ""), found)


def _read_github(  # noqa: PLR0913 - each comes from another source
    sources: Sequence[str],
    addresses: Sequence[str],
    deployed: Mapping[str, str],
    found: Configuration,
    show: Show,
    *,
    ping: bool,
) -> Iterator[object]:
    try:
        api_url = deployed.get("github_api_url", "")
        settings = GitHubSettings.from_environment({"GITHUB_API_URL": api_url, **os.environ})
    except ConfigurationError as error:
        yield NotChecked(what="GitHub", why="; ".join(error.problems), fix=LOG_IN)
        return
    github = GitHubClient(settings, no_long_wait)
    try:
        if not sources:
            yield NotChecked(what="webhooks", why="none is named", fix="./issuewire doctor OWNER/REPO")
        events = tuple(filter(None, deployed.get("webhook_events", "").split(","))) or EVENTS
        for source in sources if addresses else ():
            show(f"the webhook of {source}")
            yield from read_webhooks(github, source, addresses, events, ping=ping)
        show("accounts and repositories")
        yield from read_names(github, found.logins, found.repositories, found.files[0].path)
    finally:
        github.close()


def _read_slack(project: str, secret: str, found: Configuration) -> Iterator[object]:
    """Read Slack with the token of the environment, or else with that of the deployed function."""
    given = any(os.environ.get(name, "").strip() for name in ("SLACK_TOKEN", "SLACK_TOKEN_FILE"))
    if given or not project:
        try:
            with SettingsReader(os.environ) as read:
                setting = read.token("SLACK_TOKEN", "a bot token")
            token: str | NotChecked = setting.read()
        except (ConfigurationError, Unavailable) as error:
            token = NotChecked(what="Slack", why=str(error), fix="export SLACK_TOKEN_FILE=token.txt")
    else:
        token = read_newest(project, secret)
    if isinstance(token, NotChecked):
        yield token
        return
    yield from read_slack(os.environ.get("SLACK_API_URL") or API_URL, token, found.channels)


def _known_sources(deployed: str) -> list[str]:
    named = os.environ.get("GITHUB_SOURCES", "") or deployed
    if not named.strip() and HOOKS_FILE.is_file():
        named = HOOKS_FILE.read_text()
    return [source for source in re.split(r"[\s,]+", named) if SOURCE.fullmatch(source)]
