"""Who and what appears in the year: repositories and how busy they are, accounts, and words."""

from dataclasses import dataclass

from ops.send.accounts import Account, Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """A repository: issues opened a week, medians in working hours, shares of 1, and the parts of its titles.

    `first_number` is that of the first issue of the year.
    """

    repository: Repository
    opened: float
    response: float
    close: float
    unanswered: float
    first_number: int
    parts: tuple[str, ...]


APP = Activity(
    repository=Repository(full_name="acme/app"),
    opened=13,
    response=2,
    close=20,
    unanswered=0.05,
    first_number=1204,
    parts=("Export", "Login", "Search", "Dark mode", "Upload", "The settings page", "Sync", "The invoice"),
)
WEBSITE = Activity(
    repository=Repository(full_name="acme/website"),
    opened=2.5,
    response=5,
    close=45,
    unanswered=0.12,
    first_number=211,
    parts=("The pricing page", "The blog's feed", "The contact form", "The cookie banner", "The start page"),
)
CLI = Activity(
    repository=Repository(full_name="acme/cli"),
    opened=5,
    response=3,
    close=30,
    unanswered=0.08,
    first_number=96,
    parts=("acme init", "acme deploy", "acme logs", "Tab completion", "The --json output", "The installer"),
)
ACTIVITIES = (APP, WEBSITE, CLI)

TEAM = tuple(Account(login=login) for login in ("mona", "jo", "ravi"))
OUTSIDERS = tuple(
    Account(login=login)
    for login in ("octavia", "kim", "noor", "sam-reads", "li-wei", "ana", "tobi-42", "f-okafor", "yuki")
)
TRIAGE = Account(login="triage[bot]", type="Bot")
UPDATES = Account(login="updates[bot]", type="Bot")
BUILDS = Account(login="acme-builds")  # an account of type User that is a bot: see team.toml

KINDS = ("bug", "bug", "bug", "enhancement", "enhancement", "question", "documentation")
NEEDS_INFO = "needs info"

FAULTS = (
    "fails with a timeout",
    "loses the last row",
    "is slow with many entries",
    "shows the wrong date",
    "should remember my choice",
    "stops at an empty file",
    "ignores the time zone",
    "cannot be used with a keyboard",
    "shows an error without a reason",
    "counts everything twice",
)
WHERE = ("", "", "", " on Windows", " in Safari", " since the last release", " behind a proxy", " on a phone")
REPORTS = (
    "Steps:\n1. Open it\n2. Wait\n\nExpected: it works. Seen: it does not.",
    "This worked last week. Nothing has changed on our side.",
    "I would expect this to work as the documentation says.",
    "It happens every time, for everybody in our team.",
)
ANSWERS = (
    "I can see it, thanks. Working on it.",
    "Thanks for the report! This is fixed in the next release.",
    "Thanks, good idea. I have added it to our list.",
    "This is how it is meant to work; I have made the text clearer.",
)
QUESTIONS = (
    "Which version is this?",
    "Can you show the log of the failed run?",
    "Does it happen without the proxy?",
)
REACTIONS = (
    "Thanks, that was quick!",
    "It still happens in the newest version.",
    "Here is the log: `exit status 3`.",
    "Is there a way around it until then?",
)
