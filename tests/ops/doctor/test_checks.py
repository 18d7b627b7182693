"""Each check of doctor finds its fault and nothing in what is healthy; every fix is a command that parses."""

import re
import shlex
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest

from clients.github.hook_deliveries import Attempt, Hook
from ops.__main__ import ops
from ops.doctor.checks import CHECKS, slack
from ops.doctor.facts import (
    Channel,
    Clock,
    ConfigurationFile,
    Deliveries,
    Ingest,
    Login,
    Part,
    Proof,
    RepositoryName,
    Row,
    Secret,
    SlackToken,
    Table,
    Webhooks,
)
from ops.doctor.finding import Finding, examine
from ops.doctor.reading.cloud import parse

ROOT = Path(__file__).parents[3]
EVENTS = ("issues", "issue_comment", "repository")
SCOPES = frozenset({"chat:write", "channels:history", "groups:history"})
HOOK = Hook(id=7, source="acme/app", url="https://ingest.example/", is_active=True, events=EVENTS)
HOOKS = Webhooks(source="acme/app", hooks=(HOOK,), events=EVENTS)
INGEST = Ingest(url="https://ingest.example/", get=405, forged=401, restart="./deploy.sh ingest")
SECRET = Secret(name="github-webhook-secret", versions=(3,), is_unclean=False, sources=("acme/app",))
TABLE = Table(name="p.github.events", exists=True, fix="./issuewire schema apply --project p")
ROW = Row(source="acme/app", guid="g-1", accepted_at=datetime(2026, 1, 5, tzinfo=UTC), is_stored=True)
FUNCTION = Part(name="function ingest", problem=None, fix="")
SUBSCRIPTION = Part(name="subscription notify-slack", problem=None, fix="")
TOKEN, CHANNEL = SlackToken(scopes=SCOPES), Channel(id="C1")
RUN = "gcloud scheduler jobs run reconcile --location=us-central1"
ROUTES = ConfigurationFile(path="config/routes.toml", problems=())


def attempt(status: int, *, number: int = 1, guid: str = "g-1", event: str = "issues") -> Attempt:
    """Return an attempt of the webhook."""
    at = datetime(2026, 1, 5, tzinfo=UTC)
    return Attempt(
        id=number, hook=HOOK, guid=guid, event=event, delivered_at=at, is_redelivery=False, status=status
    )


def deliveries(*attempts: Attempt) -> Deliveries:
    """Return the attempts of the webhook, the newest first."""
    return Deliveries(hook=HOOK, attempts=attempts)


HEALTHY = (
    HOOKS,
    replace(HOOKS, hooks=(replace(HOOK, events=("*",)),)),
    deliveries(),
    # A failed attempt that succeeded later, a failed ping before it, and what can never be accepted.
    deliveries(attempt(202, number=4), attempt(502), attempt(401, event="ping", guid="p")),
    deliveries(attempt(202, number=4), attempt(413, guid="g-2")),
    INGEST,
    Clock(service="GitHub", ahead=-59.0),
    TOKEN,
    CHANNEL,
    Channel(id="C2", newest_subtype="channel_join"),
    ROUTES,
    Login(login="mona", path="config/team.toml", exists=True),
    RepositoryName(named="Acme/App", now="acme/app", path="config/routes.toml"),
    FUNCTION,
    SUBSCRIPTION,
    Part(name="BigQuery github.events", problem="missing", fix="./deploy.sh setup"),  # its Table tells of it
    SECRET,
    TABLE,
    ROW,
    Proof(hours=1.2, lost=(), run=RUN),
    Proof(hours=900.0, lost=(), run=None),  # reconcile was removed
)
FAULTS: list[tuple[str, object]] = [
    ("hook_missing", replace(HOOKS, hooks=())),
    ("hook_doubled", replace(HOOKS, hooks=(HOOK, replace(HOOK, id=8)))),
    ("hook_inactive", replace(HOOKS, hooks=(replace(HOOK, is_active=False),))),
    ("hook_content_type", replace(HOOKS, hooks=(replace(HOOK, content_type="form"),))),
    ("hook_events", replace(HOOKS, hooks=(replace(HOOK, events=("issues", "push")),))),
    ("hook_insecure", replace(HOOKS, hooks=(replace(HOOK, verifies_tls=False),))),
    ("secret_differs", deliveries(attempt(401, event="ping"))),
    ("hook_failing", deliveries(attempt(413))),
    ("hook_failing", deliveries(attempt(403, event="ping"))),
    ("deliveries_failed", deliveries(attempt(202, guid="g-2"), attempt(0))),
    ("ingest_down", replace(INGEST, get=None, forged=None)),
    ("ingest_down", replace(INGEST, forged=503)),
    ("ingest_private", replace(INGEST, get=403, forged=403)),
    ("ingest_open", replace(INGEST, forged=202)),
    ("ingest_elsewhere", replace(INGEST, get=200, forged=404)),
    ("ping_refused", replace(INGEST, signed=401)),
    ("clock_off", Clock(service="GitHub", ahead=61.0)),
    ("slack_token", SlackToken(code="token_revoked", remedy="install the app again")),
    ("slack_scopes", SlackToken(scopes=SCOPES - {"groups:history"})),
    ("slack_scopes", SlackToken(scopes=SCOPES, shows_pictures=True)),
    ("slack_not_in_channel", Channel(id="C1", code="not_in_channel")),
    ("slack_channel", Channel(id="C1", code="channel_not_found", remedy="check the id")),
    ("slack_channel_archived", Channel(id="C1", newest_subtype="channel_archive")),
    ("configuration_invalid", replace(ROUTES, problems=("line 3: unknown key",))),
    ("login_unknown", Login(login="octokat", path="config/routes.toml", exists=False)),
    ("route_outdated", RepositoryName(named="acme/old", now="acme/new", path="config/routes.toml")),
    ("function_wrong", replace(FUNCTION, problem="is FAILED", fix="./deploy.sh ingest")),
    ("schedule_wrong", Part(name="schedule reconcile", problem="is missing", fix="./deploy.sh reconcile")),
    ("subscription_wrong", replace(SUBSCRIPTION, problem="has other settings", fix="./deploy.sh setup")),
    (
        "messages_wait",
        replace(SUBSCRIPTION, problem="3 messages wait, the oldest for 901 s", fix="./deploy.sh status"),
    ),
    ("messages_held", Part(name="dead letters", problem="3 messages", fix="./issuewire dead-letters list")),
    (
        "dead_letter_access",
        Part(name="access notify-slack", problem="Pub/Sub may not move", fix="./deploy.sh setup"),
    ),
    ("secret_missing", replace(SECRET, versions=())),
    ("secret_unclean", replace(SECRET, is_unclean=True)),
    ("secret_versions", replace(SECRET, versions=(4, 3))),
    ("table_missing", replace(TABLE, exists=False)),
    ("table_foreign", Part(name="BigQuery github.events", problem="has no label", fix="./deploy.sh setup")),
    ("table_columns", replace(TABLE, lacking=("via_app",))),
    ("view_differs", replace(TABLE, is_current=False)),
    ("row_missing", replace(ROW, is_stored=False)),
    ("reconcile_late", Proof(hours=3.5, lost=(), run=RUN)),
    ("reconcile_late", Proof(hours=None, lost=(), run=RUN)),
    ("events_lost", Proof(hours=None, lost=(("2026-01-05", "acme/app", 2),), run=None)),
]


IDS = [f"{slug}-{number}" for number, (slug, _) in enumerate(FAULTS)]


def findings(*facts: object) -> tuple[Finding, ...]:
    """Return what the checks find."""
    return examine(CHECKS, facts).findings


def test_the_apps_manifest_asks_for_every_scope_that_is_checked() -> None:
    """config/slack-app.yaml asks for the scopes that doctor looks for, and for no other."""
    manifest = (ROOT / "config" / "slack-app.yaml").read_text()
    assert set(re.findall("^ +- ([a-z]+:[a-z]+)", manifest, re.MULTILINE)) == {
        *slack.SCOPES,
        slack.PICTURE_SCOPE,
    }


def test_what_is_healthy_is_no_finding() -> None:
    """A healthy part has no finding, and is counted as looked at."""
    report = examine(CHECKS, HEALTHY)
    assert (report.findings, report.not_checked, report.looked_at) == ((), (), len(HEALTHY))


@pytest.mark.parametrize(("slug", "fact"), FAULTS, ids=IDS)
def test_a_fault_is_found_once(slug: str, fact: object) -> None:
    """A fault is one finding under its own slug, and its fix is a command that parses."""
    [finding] = findings(*HEALTHY, fact)
    assert finding.slug == slug
    assert parses(finding.fix)


def test_every_check_has_a_fault_and_a_heading() -> None:
    """Every check has a slug of its own, a fault here, and a heading in the runbook."""
    slugs = [check.slug for check in CHECKS]
    section = (ROOT / "docs" / "operations.md").read_text().split("\n## What doctor finds\n")[1]
    assert sorted(slugs) == sorted({slug for slug, _ in FAULTS})
    assert re.findall(r"^### (\w+)$", section.split("\n## ")[0], re.MULTILINE) == slugs


def test_every_kind_of_line_of_status_has_a_check() -> None:
    """No problem that ./deploy.sh status --cloud can print is passed over."""
    text = "".join(path.read_text() for path in sorted((ROOT / "deploy").glob("*.sh")))
    kinds = set(re.findall(r"status_line [\"']([A-Za-z ]+?)(?: \$|['\"])", text))
    outside = {"webhook", "Slack token", "Slack channel"}
    assert kinds > outside
    for kind in kinds - outside:
        printed = f"BAD  {kind if kind == 'dead letters' else f'{kind} x':<36} is wrong; ./deploy.sh setup"
        assert len(findings(*parse(f"{printed}\n=    complete yes").facts)) == 1, kind


def test_the_fix_names_what_is_wrong() -> None:
    """A fix is about the webhook, the delivery or the name that the finding is about."""
    [doubled] = findings(replace(HOOKS, hooks=(replace(HOOK, is_active=False, id=3), HOOK)))[:1]
    assert doubled.fix == "gh api --method DELETE repos/acme/app/hooks/3"
    organization = replace(HOOK, source="acme")
    failed = Deliveries(hook=organization, attempts=(attempt(202, guid="g-9"), attempt(500, number=5)))
    assert findings(failed)[0].fix == "gh api --method POST orgs/acme/hooks/7/deliveries/5/attempts"
    logged = findings(deliveries(attempt(503, event="ping")))[0].fix
    assert logged == "gcloud logging read 'jsonPayload.delivery_id=\"g-1\"'"
    [outdated] = findings(RepositoryName(named="acme/old", now="acme/new", path="r.toml"))
    [hostile] = findings(RepositoryName(named="acme/old", now="acme/$(x)'", path="my routes.toml"))
    assert shlex.split(hostile.fix)[2:] == ['s|"acme/old"|"acme/$(x)\'"|', "my routes.toml"]
    assert outdated.fix == 'sed -i.bak \'s|"acme/old"|"acme/new"|\' r.toml'
    assert findings(replace(SECRET, versions=(4, 3)))[0].fix.endswith("rotate --finish acme/app")


def parses(fix: str) -> bool:
    """Return whether a fix is a call of a known program, and for ours of a command that exists."""
    program, *arguments = shlex.split(fix.partition(" <")[0])
    if program.startswith("PUBSUB_TOPIC="):
        program, *arguments = arguments
    if program == "./issuewire":
        return understood(ops, arguments)
    if program == "./deploy.sh":
        usage = (ROOT / "deploy.sh").read_text()
        functions = {path.stem for path in (ROOT / "deploy" / "functions").glob("*.sh")}
        return arguments[0] in functions or f"\n  {arguments[0]}" in usage
    return program in {"gh", "gcloud", "sudo", "sed", "make", "/invite", "${EDITOR:-vi}"}


def understood(command: click.Command, arguments: list[Any], parent: click.Context | None = None) -> bool:
    """Return whether click takes the arguments; it raises its own errors if not."""
    context = command.make_context(command.name or "issuewire", list(arguments), parent=parent)
    if not isinstance(command, click.Group):
        return True
    _, child, rest = command.resolve_command(context, [*context._protected_args, *context.args])
    return child is not None and understood(child, rest, context)
