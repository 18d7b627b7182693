"""What the readers find out about an installation: one small value for each thing (pure)."""

from dataclasses import dataclass
from datetime import datetime

from clients.github.hook_deliveries import Attempt, Hook


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """The webhooks of `source` that point to ingest; `events` are those that it should deliver."""

    source: str
    hooks: tuple[Hook, ...]
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """The newest attempts of a webhook, the newest first."""

    hook: Hook
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """What ingest answers to an unsigned GET, to a forged delivery, and, locally, to a signed ping.

    None stands for no answer; `signed` is 200 where nothing could be signed.
    """

    url: str
    get: int | None
    forged: int | None
    signed: int | None = 200
    restart: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How many seconds this machine's clock is ahead of that of `service`."""

    service: str
    ahead: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackToken:
    """What Slack answers to the token: an error's code and remedy, or the scopes that it grants.

    `shows_pictures`: the team's file asks for the week's numbers, which have a picture.
    """

    code: str | None = None
    remedy: str = ""
    scopes: frozenset[str] = frozenset()
    shows_pictures: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What reading a routed channel gives: an error's code and remedy, or the newest message's subtype."""

    id: str
    code: str | None = None
    remedy: str = ""
    newest_subtype: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationFile:
    """A routes, team or triage file, and every problem in it."""

    path: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """An account that a file names, and whether GitHub has it."""

    login: str
    path: str
    exists: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryName:
    """A repository that a route or rule names exactly, and what GitHub calls it now."""

    named: str
    now: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the installation, such as `function ingest`, what is wrong with it, and the fix."""

    name: str
    problem: str | None
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """The enabled versions of the webhook's secret, newest first; `is_unclean`: white space is at an end."""

    name: str
    versions: tuple[int, ...]
    is_unclean: bool
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table or view: the columns of sql/ that it lacks, and whether the query of a view is that of sql/."""

    name: str
    exists: bool
    lacking: tuple[str, ...] = ()
    is_current: bool = True
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A delivery of the webhook of `source` that BigQuery should have by now, and whether it has."""

    source: str
    guid: str
    accepted_at: datetime
    is_stored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The hours since the last run of reconcile, None before the first, and the command that runs it.

    `lost` has (day, source, events) of what it calls lost. Without `run`, reconcile is not deployed.
    """

    hours: float | None
    lost: tuple[tuple[str, str, int], ...]
    run: str | None
