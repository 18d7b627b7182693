"""The people and bots of the random lives, and who of them is in the team."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from ops.send.accounts import Account

OCTAVIA, ROSA, MONA, KIM, LEE, OLGA = (
    Account(login=login) for login in ("octavia", "rosa", "mona", "Kim-Lee", "lee", "olga")
)
PEOPLE = [OCTAVIA, ROSA, MONA, KIM, LEE, OLGA]
TRIAGE, SWEEPER = Account(login="triage[bot]", type="Bot"), Account(login="sweeper", type="Bot")
OLD, ROBOT = Account(login="old[bot]"), Account(login="K8s-CI-robot")
BOTS = [TRIAGE, SWEEPER, OLD, ROBOT]
AUTHORS = [*PEOPLE, *PEOPLE, TRIAGE, OLD, ROBOT, None]

# Kim's membership is private: GitHub shows it to no webhook.
ASSOCIATIONS = {
    ROSA: "FIRST_TIME_CONTRIBUTOR",
    MONA: "MEMBER",
    LEE: "COLLABORATOR",
    OLGA: "OWNER",
    SWEEPER: "COLLABORATOR",
    ROBOT: "MEMBER",
}
OLGA_LEFT_AT = datetime(2025, 7, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who is in the team, and the config/team.toml that says so, or does not."""

    team: frozenset[Account]
    file: str

    def is_team(self, account: Account | None, at: datetime) -> bool:
        """Return whether the account was in the team at that time."""
        return account in self.team and (account != OLGA or at < OLGA_LEFT_AT)


BY_LIST = Cast(
    team=frozenset({MONA, KIM}),
    file="""
[team]
logins = ["mona", "KIM-LEE", "somebody-else"]
[bots]
logins = ["k8s-ci-Robot"]
[hours]
zone = "America/Los_Angeles"
days = "Sun-Thu"
from = "00:30"
to = "23:45"
holidays = ["2025-12-24", "2026-01-06"]
""",
)
# Closed over the new year: who waits since then has waited no working hour.
WINTER = [str(date(2025, 12, 15) + timedelta(days=number)) for number in range(35)]
BY_ASSOCIATION = Cast(
    team=frozenset({MONA, LEE, OLGA}),
    file=f"""
[bots]
logins = ["k8s-ci-robot"]
[hours]
zone = "Pacific/Auckland"
days = "Mon-Fri"
from = "08:45"
to = "17:00"
holidays = {WINTER}
""",
)


def association(account: Account | None, at: datetime) -> str:
    """Return what GitHub says at that time of the account's place in every repository."""
    if account is None or (account == OLGA and at >= OLGA_LEFT_AT):
        return "NONE"
    return ASSOCIATIONS.get(account, "NONE")
