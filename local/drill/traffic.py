"""GitHub in a drill: issues change, and each change is delivered once, side by side and not always well."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from local.drill.schedule import Fate, Schedule, Step
from local.github.server import GitHubServer
from local.github.webhook import send
from ops.send import accounts, payloads

type Json = dict[str, Any]

MAX_SCALE = 60.0  # seconds at GitHub in one second of the drill
LONGEST = timedelta(hours=4)  # of GitHub's time; reconcile looks back over six hours
# reconcile leaves to the webhook what changed within ten minutes.
ENDED_AGO = timedelta(minutes=15)
SENDERS = 16
OCTAVIA, MONA = accounts.Account(login="octavia"), accounts.Account(login="mona")


class Line:
    """The line from GitHub to ingest, on which a request or its answer may be lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fates: dict[int, Fate] = {}

    def will(self, payload: Json, fate: Fate) -> None:
        """Decide what becomes of the first attempt to deliver this payload."""
        with self._lock:
            self._fates[id(payload)] = fate

    def __call__(self, hook: Json, event: str, delivery_id: str, payload: Json) -> int:
        """Deliver; return the status that GitHub sees."""
        with self._lock:
            fate = self._fates.pop(id(payload), Fate.SENT)
        if fate is Fate.LOST:
            return 502
        status = send(hook, event, delivery_id, payload)
        return 504 if fate is Fate.ANSWER_LOST else status


class Traffic:
    """The repositories of a schedule and their webhooks.

    GitHub's time passes faster than ours, and ends in the past.
    """

    def __init__(self, server: GitHubServer, line: Line, schedule: Schedule) -> None:
        self.server = server
        self._line = line
        self._scale = min(MAX_SCALE, LONGEST.total_seconds() / schedule.seconds)
        self._base = datetime.now(UTC) - ENDED_AGO - timedelta(seconds=schedule.seconds * self._scale)
        self._base = self._base.replace(microsecond=0)
        self.repositories = {name: accounts.Repository(full_name=name) for name in schedule.repositories}
        self.hooks: list[Json] = []
        self.issues: dict[tuple[str, int], payloads.Issue] = {}
        self._pool = ThreadPoolExecutor(SENDERS, thread_name_prefix="github")
        self._sent: list[Future[str]] = []

    def connect(self, url: str, secret: str) -> None:
        """Create the repositories and their webhooks."""
        github = self.server.github
        self.pass_time(0.0)
        for name in self.repositories:
            github.host(name)
            config = {"url": url, "content_type": "json", "secret": secret}
            body = {"events": ["issues", "issue_comment"], "config": config}
            self.hooks.append(github.hooks.create(name, body))

    def pass_time(self, at: float) -> None:
        """Set GitHub's clock."""
        self.server.github.now = self._moment(at)

    def carry_out(self, step: Step) -> None:
        """Change the issue at GitHub, and deliver it in another thread if the webhook is on."""
        event, github = self._event(step), self.server.github
        github.repository(step.repository).record(event)
        [hook] = github.hooks.by_place[step.repository].values()
        if hook["active"]:
            self._line.will(event.payload, step.fate)
            self._sent.append(
                self._pool.submit(github.hooks.emit, [step.repository], event.name, event.payload)
            )

    def wait(self) -> None:
        """Return once every delivery has been tried."""
        for sent in self._sent:
            sent.result()

    def close(self) -> None:
        """Give up what has not been sent."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    @property
    def sent(self) -> int:
        """Return how many deliveries there are."""
        return len(self._sent)

    def deliveries(self) -> list[Json]:
        """Return every attempt to deliver an event."""
        listed = self.server.github.hooks.deliveries
        return [each for hook in self.hooks for each in list(listed[hook["id"]]) if each["event"] != "ping"]

    def stored(self) -> Mapping[tuple[str, int], Json]:
        """Return the issues as GitHub has them."""
        return {
            (name, number): issue
            for name in self.repositories
            for number, issue in self.server.github.repository(name).issues.items()
        }

    def _event(self, step: Step) -> payloads.Event:
        at, key = self._moment(step.at), (step.repository, step.number)
        if step.change == "opened":
            title = f"Issue {step.number} of {step.repository}"
            self.issues[key] = payloads.Issue(
                repository=self.repositories[step.repository],
                number=step.number,
                title=title,
                author=OCTAVIA,
                created_at=at,
                body="Steps to repeat",
            )
            return self.issues[key].opened()
        return _change(self.issues[key], step.change, at)

    def _moment(self, at: float) -> datetime:
        return self._base + timedelta(seconds=int(at * self._scale))


def _change(issue: payloads.Issue, change: str, at: datetime) -> payloads.Event:
    person = accounts.Account(login=f"person-{len(issue.assignees)}")
    changes: dict[str, Callable[[], payloads.Event]] = {
        "commented": lambda: issue.commented(MONA, at, f"Comment {issue.comments + 1}"),
        "labeled": lambda: issue.labeled(MONA, at, f"label-{len(issue.labels)}"),
        "assigned": lambda: issue.assigned(MONA, at, person),
        "edited": lambda: issue.edited(OCTAVIA, at, title=f"{issue.title}!"),
        "closed": lambda: issue.closed(MONA, at),
        "reopened": lambda: issue.reopened(MONA, at),
    }
    return changes[change]()
