"""Lets things happen at the local GitHub, which delivers them to ingest as GitHub does."""

import secrets
import threading
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from local.console.week import Week
from local.console.wishes import NotPossible, Wish, is_login
from local.github.errors import ApiError
from local.github.github_app import HOOK_ID, PLACE
from local.github.server import GitHubServer
from local.github.webhook import send
from local.seed import cast
from ops.send.accounts import Account, Repository
from ops.send.payload_spec import Impossible, PayloadSpec
from ops.send.payloads import Issue
from pipeline.repository_name import is_repository_name

BURST: Final = 25
TEXT: Final = "I can reproduce this."
MEMBERS: Final = tuple(person.login for person in cast.TEAM)
_OPENERS = ("octavia", "kim", "noor", "sam-reads", "li-wei")

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What has happened: the ids of the deliveries, and one sentence."""

    deliveries: tuple[str, ...]
    text: str

    def as_json(self) -> Json:
        """Return it for the page."""
        return {"deliveries": list(self.deliveries), "text": self.text}


class Simulator:
    """What a person does at GitHub. Safe for many threads: one wish after the other.

    `members` are the logins of the team; the repositories know no one else.
    """

    def __init__(self, github: GitHubServer, week: Week, members: Collection[str] = MEMBERS) -> None:
        self._members = {login.lower() for login in members}
        self._server = github
        self._week = week
        self._lock = threading.Lock()
        self._acts: Mapping[str, Callable[[Wish], Done]] = {
            "open": self._open,
            "comment": self._comment,
            "label": self._label,
            "unlabel": self._unlabel,
            "assign": self._assign,
            "unassign": self._unassign,
            "close": self._close,
            "reopen": self._reopen,
            "edit": self._edit,
            "delete": self._delete,
            "transfer": self._transfer,
            "forge": self._forge,
            "resend": self._resend,
            "burst": self._burst,
            "week": lambda _: Done(deliveries=(), text=week.begin()),
            "stop": lambda _: Done(deliveries=(), text=week.end()),
        }

    def carry_out(self, sent: Mapping[str, Any]) -> Done:
        """Let happen what the page asks for. Raises NotPossible with a sentence."""
        wish = Wish.of(sent)
        act = self._acts.get(wish.do)
        if act is None:
            raise NotPossible(f"do must be one of {', '.join(self._acts)}")
        try:
            with self._lock:
                return act(wish)
        except Impossible as error:
            raise NotPossible(str(error).replace("; give --", "; give ").replace("--", "")) from error
        except ApiError as error:
            raise NotPossible(_refusal(wish, error)) from error

    def _open(self, wish: Wish) -> Done:
        number = wish.number or self._next_number(wish.repository)
        if number in self._issues(wish.repository):
            raise NotPossible(f"{wish.repository}#{number} is there already")
        first, *others = wish.labels or (None,)
        change = {"repository": wish.repository, "number": number, "author": wish.author}
        guids = [self._act(**change, action="opened", title=wish.title, body=wish.body, label=first)]
        guids += [self._act(**change, action="labeled", label=label) for label in others]
        return Done(deliveries=tuple(guids), text=f"{wish.author} opened {wish.repository}#{number}.")

    def _comment(self, wish: Wish) -> Done:
        return self._change(wish, "commented on", "created", event="issue_comment", body=wish.body or TEXT)

    def _label(self, wish: Wish) -> Done:
        label = wish.label or "bug"
        if label.lower() in {each["name"].lower() for each in self._issue(wish)["labels"]}:
            raise NotPossible(f"{_name(wish)} has the label {label} already")
        return self._change(wish, f"set the label {label} on", "labeled", label=label)

    def _unlabel(self, wish: Wish) -> Done:
        label = wish.label or "bug"
        return self._change(wish, f"took the label {label} off", "unlabeled", label=label)

    def _assign(self, wish: Wish) -> Done:
        login = _login(wish)
        if login in {each["login"] for each in self._issue(wish)["assignees"]}:
            raise NotPossible(f"{_name(wish)} is assigned to {login} already")
        return self._change(wish, f"assigned {login} to", "assigned", assignee=login)

    def _unassign(self, wish: Wish) -> Done:
        login = _login(wish)
        return self._change(wish, f"unassigned {login} from", "unassigned", assignee=login)

    def _close(self, wish: Wish) -> Done:
        issue = self._issue(wish)
        if (issue["state"], issue["state_reason"]) == ("closed", wish.reason):
            raise NotPossible(f"{_name(wish)} is closed as {wish.reason.replace('_', ' ')} already")
        done = self._change(wish, "closed", "closed", reason=wish.reason)
        return replace(done, text=f"{wish.author} closed {_name(wish)} as {wish.reason.replace('_', ' ')}.")

    def _reopen(self, wish: Wish) -> Done:
        if self._issue(wish)["state"] != "closed":
            raise NotPossible(f"{_name(wish)} is open")
        return self._change(wish, "reopened", "reopened")

    def _edit(self, wish: Wish) -> Done:
        if wish.title is None and wish.body is None:
            raise NotPossible("give a new title or a new body")
        return self._change(wish, "edited", "edited", title=wish.title, body=wish.body)

    def _delete(self, wish: Wish) -> Done:
        return self._change(wish, "deleted", "deleted")

    def _transfer(self, wish: Wish) -> Done:
        repository, number = wish.named()
        self._issue(wish)
        if wish.to is None or not is_repository_name(wish.to):
            raise NotPossible("to must be the repository OWNER/NAME that the issue goes to")
        if wish.to.lower() == repository.lower():
            raise NotPossible(f"{_name(wish)} is in {repository} already")
        guids, there = self._server.transfer(repository, number, wish.to, Account.named(wish.author))
        text = f"{wish.author} transferred {_name(wish)}; it is {wish.to}#{there} now."
        return Done(deliveries=tuple(guids), text=text)

    def _forge(self, wish: Wish) -> Done:
        """Send what GitHub did not send: signed with another secret, past the local GitHub."""
        issue = Issue(
            repository=Repository(full_name=wish.repository),
            number=666,
            title="GitHub did not send this",
            author=Account.named(wish.author),
            created_at=self._server.github.time(),
        )
        hook = self._hook()
        forged = hook | {"config": hook["config"] | {"secret": secrets.token_hex(20)}}
        guid, event = str(uuid.uuid4()), issue.opened()
        status = send(forged, event.name, guid, event.payload)
        return Done(deliveries=(guid,), text=f"A forged delivery was answered {status}.")

    def _resend(self, _wish: Wish) -> Done:
        hooks, hook = self._server.github.hooks, self._hook()
        last = next(iter(hooks.deliveries[hook["id"]]), None)
        if last is None:
            raise NotPossible("nothing was delivered yet")
        hooks.redeliver(hook, last)
        return Done(deliveries=(last["guid"],), text="GitHub delivered the last delivery again.")

    def _burst(self, wish: Wish) -> Done:
        first = self._next_number(wish.repository)
        guids = [
            self._act(
                repository=wish.repository,
                number=first + place,
                author=_OPENERS[place % len(_OPENERS)],
                title=f"One of {BURST} reports at once: {place + 1}",
            )
            for place in range(BURST)
        ]
        text = f"{BURST} issues were opened at once: {wish.repository}#{first} to #{first + BURST - 1}."
        return Done(deliveries=tuple(guids), text=text)

    def _change(self, wish: Wish, what: str, action: str, **fields: Any) -> Done:
        repository, number = wish.named()
        self._issue(wish)
        guid = self._act(repository=repository, number=number, author=wish.author, action=action, **fields)
        return Done(deliveries=(guid,), text=f"{wish.author} {what} {_name(wish)}.")

    def _act(self, **fields: Any) -> str:
        spec = PayloadSpec(**fields)
        guid, _ = self._server.act(spec, "MEMBER" if spec.author.lower() in self._members else "NONE")
        return guid

    def _issue(self, wish: Wish) -> Json:
        """Return GitHub's JSON of the issue. Raises ApiError, and NotPossible without a number."""
        repository, number = wish.named()
        return self._server.github.repository(repository).issue(number)

    def _issues(self, repository: str) -> Mapping[int, Json]:
        hosted = self._server.github.repositories.get(repository.lower())
        return hosted.issues if hosted else {}

    def _next_number(self, repository: str) -> int:
        hosted = self._server.github.repositories.get(repository.lower())
        return hosted.next_number if hosted else 1

    def _hook(self) -> Json:
        return self._server.github.hooks.by_place[PLACE][HOOK_ID]


def _name(wish: Wish) -> str:
    return f"{wish.repository}#{wish.number}"


def _login(wish: Wish) -> str:
    login = wish.to or wish.author
    if not is_login(login):
        raise NotPossible("to must be a login of GitHub's, such as mona")
    return login


def _refusal(wish: Wish, error: ApiError) -> str:
    """Return why GitHub has no such issue."""
    match error.status:
        case 404:
            return f"there is no issue {_name(wish)}; open one first"
        case 410:
            return f"{_name(wish)} was deleted"
        case 301:
            return f"{_name(wish)} was transferred to another repository"
    return str(error)
