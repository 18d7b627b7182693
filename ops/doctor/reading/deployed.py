"""Reads what is deployed: the cloud, ingest from outside, GitHub, BigQuery, Slack and the files."""

import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from clients.github.client import GitHubClient
from clients.github.settings import GitHubSettings, is_app
from clients.slack.client import API_URL
from ops import ROOT
from ops.doctor.facts import Deliveries, SlackToken, Webhooks
from ops.doctor.finding import NotChecked
from ops.doctor.reading.bigquery import read_bigquery
from ops.doctor.reading.cloud import read_cloud, read_newest, read_secret
from ops.doctor.reading.configuration import Configuration, read_configuration
from ops.doctor.reading.ingest import read_ingest
from ops.doctor.reading.slack import read_slack
from ops.doctor.reading.webhooks import (
    AGAIN,
    LOG_IN,
    no_long_wait,
    read_app_hook,
    read_names,
    read_webhooks,
)
from pipeline.errors import ConfigurationError, Unavailable
from pipeline.settings import SettingsReader

STORE = "./deploy.sh secrets slack <token.txt"
HOOKS_FILE = ROOT / ".local" / "webhooks"  # written by ./deploy.sh webhook
TEAM_FILE = "config/team.toml"
EVENTS = ("issues", "issue_comment", "repository")
SOURCE = re.compile(r"[\w-]+(/[\w.-]+)?", re.ASCII)

Show = Callable[[str], None]


def read_deployed(sources: Sequence[str], routes: Path | None, show: Show, *, ping: bool) -> Iterator[object]:
    """Yield every fact about what is deployed; without `routes` those that are deployed are read."""
    show("the cloud, which takes a minute")
    cloud = read_cloud()
    settings, project = cloud.settings, cloud.settings.get("project", "")
    routes = routes or ROOT / settings.get("routes_file", "config/routes.toml")
    team_file = settings.get("team_file", "")
    files = {"TEAM_FILE": team_file, "TRIAGE_FILE": settings.get("triage_file", "")}
    deployed = {name: str(ROOT / path) for name, path in files.items() if path}
    found = read_configuration(routes, {**os.environ, **deployed}, ROOT / "config")
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
    deliveries = []
    for fact in _read_github(sources, addresses, settings, found, show, ping=ping):
        if isinstance(fact, Deliveries):
            deliveries.append(fact)
        yield fact
    if project:
        show("the secrets")
        yield read_secret(project, settings.get("webhook_secret", ""), sources)
        show("BigQuery")
        dataset = settings.get("dataset", "github")
        run = settings.get("run_reconcile")
        named = "" if team_file in {"", TEAM_FILE} else f"TEAM_FILE={shlex.quote(team_file)} "
        fix = f"{named}./issuewire schema apply --project {project} --dataset {dataset}"
        yield from read_bigquery(project, dataset, fix, found.team, run=run, deliveries=deliveries)
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
        fix = AGAIN if is_app(os.environ) else LOG_IN
        yield NotChecked(what="GitHub", why="; ".join(error.problems), fix=fix)
        return
    github = GitHubClient(settings, no_long_wait)
    try:
        if not sources:
            yield NotChecked(what="webhooks", why="none is named", fix="./issuewire doctor OWNER/REPO")
        events = tuple(filter(None, deployed.get("webhook_events", "").split(","))) or EVENTS
        of_app = tuple(read_app_hook(github, addresses, events))
        yield from of_app
        has_app_hook = any(isinstance(fact, Webhooks) for fact in of_app)
        for source in sources if addresses else ():
            show(f"the webhook of {source}")
            yield from read_webhooks(github, source, addresses, events, ping=ping, has_app_hook=has_app_hook)
        show("accounts and repositories")
        yield from read_names(github, found.logins, found.repositories)
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
    if not token:
        yield SlackToken(code="not_authed", remedy=f"the secret {secret} has no enabled version")
        return
    api_url = os.environ.get("SLACK_API_URL") or API_URL
    yield from read_slack(api_url, token, found.channels, fix=STORE, shows_pictures=found.shows_pictures)


def _known_sources(deployed: str) -> list[str]:
    named = os.environ.get("GITHUB_SOURCES", "") or deployed
    if not named.strip() and HOOKS_FILE.is_file():
        named = HOOKS_FILE.read_text()
    return [source for source in re.split(r"[\s,]+", named) if SOURCE.fullmatch(source)]
