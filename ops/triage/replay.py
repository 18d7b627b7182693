"""ops triage replay: the rules are tried on stored events."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from clients.bigquery import QueryRunner, connect
from ops.cli import json_option, one_line_errors
from ops.local_stack import local_option
from ops.parameters import Moment, check_span
from ops.report.command import progress
from ops.settings import find_dataset
from ops.stored_errors import stored_errors
from ops.triage.options import file_option, own_login_option, read_rules
from ops.triage.stored import Scope, events
from ops.triage.summary import line, lines, notes, outcome
from ops.triage.trial import Trial, Tried

LIMIT = 100_000
STEP = 2_000  # events from one progress line to the next


@click.command()
@click.option("--since", type=Moment(), required=True, help="What happened from this time on (UTC).")
@click.option("--until", type=Moment(), help="What happened before this time; default: now.")
@click.option("--repository", help="owner/name; default: all repositories.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=LIMIT,
    show_default=True,
    help="Try at most so many events, the oldest ones.",
)
@local_option
@click.option("--project", help="Google Cloud project of the dataset; default: that of BIGQUERY_DATASET.")
@click.option("--dataset", help="Name of the dataset; default: that of BIGQUERY_DATASET, else github.")
@file_option
@own_login_option
@json_option
@one_line_errors()
def replay(  # noqa: PLR0913 - one for each option
    *,
    since: datetime,
    until: datetime | None,
    repository: str | None,
    limit: int,
    project: str | None,
    dataset: str | None,
    triage_path: Path,
    own_login: str | None,
    as_json: bool,
) -> None:
    """Show what the rules would have done.

    Tries the rules on the events in BigQuery: a line for each event with something to do, then a line for
    each rule. GitHub is not called, and nothing is changed.

    Each event is taken as if its webhook had come when it happened, also what a backfill stored and what came
    late. The team, and who is away, are those of the team file now. What an issue has, or got from a rule
    before, is not done again. Not known are: what the issue had become when triage would have read it, what
    people took off it, the limit of ten actions per issue and day, and our App's own login, unless
    --own-login names it. Without it, what triage itself did counts as done by anyone.

    \b
    Examples:
      ./issuewire triage replay --since 2026-11-01
      ./issuewire triage replay --since 2026-11-01 --repository acme/app --file new-rules.toml

    \b
    Environment:
      TEAM_FILE               the team; default: config/team.toml
      BIGQUERY_DATASET        PROJECT.DATASET, used where no option names them
      BIGQUERY_EMULATOR_HOST  http://host:port of a local BigQuery
    """  # noqa: D301 - \b is click's mark for a block that is not rewrapped
    check_span(since, until)
    rules, team = read_rules(triage_path, as_json=as_json)
    if not rules:
        raise click.ClickException(f"{triage_path} has no rule to try")
    trial = Trial(rules=rules, team=team, own_login=own_login)
    project, dataset = find_dataset(project, dataset)
    scope = Scope(since=since, until=until or datetime.now(UTC), repository=repository, limit=limit)
    show = progress()
    shown: list[Tried] = []
    with stored_errors(project, dataset):
        for event in events(QueryRunner(connect(project), dataset, show), rules, scope):
            if trial.events == limit:
                trial.is_cut = True
                break
            tried = trial.add(event)
            if tried.effects and as_json:
                shown.append(tried)
            elif tried.effects:
                click.echo(line(tried))
            if trial.events % STEP == 0:
                show(f"{trial.events:,} events")
    for note in notes(trial):
        click.echo(f"Warning: {note}", err=True)
    click.echo(json.dumps(outcome(trial, shown)) if as_json else "\n".join(lines(trial)))
