"""What a person lets happen at the local GitHub."""

import json

import pytest

from local.console.simulator import BURST, Simulator
from local.console.week import Week
from local.console.wishes import NotPossible
from local.github.server import GitHubServer
from tests.local.console.conftest import Inbox

APP = "acme/app"


class Person:
    """Wishes for things at one GitHub, and waits until they are delivered."""

    def __init__(self, github: GitHubServer) -> None:
        self.told: list[str] = []
        self.github = github
        week = Week(github, lambda **fields: self.told.append(fields["text"]), seconds=0.2)
        self.simulator, self.week = Simulator(github, week), week

    def do(self, what: str, **fields: object) -> str:
        """Let it happen; return the sentence."""
        done = self.simulator.carry_out({"do": what, **fields})
        self.github.github.hooks.wait()
        return done.text

    def refusal(self, what: str, **fields: object) -> str:
        """Return why it is not possible."""
        with pytest.raises(NotPossible) as caught:
            self.simulator.carry_out({"do": what, **fields})
        return str(caught.value)

    def issue(self, number: int = 1, repository: str = APP) -> dict:
        """Return the issue as GitHub has it."""
        return self.github.github.repository(repository).issue(number)


@pytest.fixture
def person(github: GitHubServer) -> Person:
    """Return a person at the fixture's GitHub."""
    return Person(github)


def test_each_change_continues_the_issue(person: Person, inbox: Inbox) -> None:
    """GitHub keeps the issue, and each delivery shows it with everything that was done before."""
    person.do("open", title="Export fails", body="Since Monday.", labels=["bug"], author="octavia")
    person.do("comment", number=1, body="Me too.", author="mona")
    person.do("label", number=1, label="urgent", author="mona")
    person.do("unlabel", number=1, label="bug")
    person.do("assign", number=1, to="mona")
    person.do("edit", number=1, title="Export fails on Mondays")
    person.do("close", number=1, reason="not_planned", author="mona")
    actions = ["issues.opened", "issue_comment.created", "issues.labeled", "issues.unlabeled"]
    actions += ["issues.assigned", "issues.edited", "issues.closed"]
    assert inbox.sent == [(action, 1) for action in actions]
    last = inbox.payloads[-1]["issue"]
    assert (last["title"], last["body"], last["comments"]) == ("Export fails on Mondays", "Since Monday.", 1)
    assert [label["name"] for label in last["labels"]] == ["urgent"]
    assert [account["login"] for account in last["assignees"]] == ["mona"]
    assert (last["state"], last["state_reason"]) == ("closed", "not_planned")
    person.do("unassign", number=1, to="mona")
    person.do("reopen", number=1)
    assert (person.issue()["state"], person.issue()["assignees"]) == ("open", [])


def test_an_issue_gets_the_next_number(person: Person) -> None:
    """Numbers are those of the repository, and none is used again after a deletion."""
    assert person.do("open") == "octocat opened acme/app#1."
    assert person.do("open") == "octocat opened acme/app#2."
    person.do("delete", number=2)
    assert person.do("open") == "octocat opened acme/app#3."
    assert person.do("open", repository="acme/website") == "octocat opened acme/website#1."
    assert person.refusal("open", number=3) == "acme/app#3 is there already"


def test_several_labels_are_an_event_each(person: Person, inbox: Inbox) -> None:
    """As at GitHub, an issue that is opened with labels tells of each that was set."""
    person.do("open", labels=["bug", "urgent", "bug"])
    assert [event for event, _ in inbox.sent] == ["issues.opened", "issues.labeled"]
    assert [label["name"] for label in person.issue()["labels"]] == ["bug", "urgent"]


def test_a_bot_is_a_bot(person: Person, inbox: Inbox) -> None:
    """A login that ends so acts as an account of type Bot."""
    person.do("open", author="dependabot[bot]")
    assert inbox.payloads[0]["sender"]["type"] == "Bot"


def test_the_team_is_known_and_others_are_not(person: Person, inbox: Inbox) -> None:
    """A repository knows the team alone, so that only the team's comment is an answer of the team."""
    person.do("open", author="mona")
    for author in ("octocat", "mona", "dependabot[bot]"):
        person.do("comment", number=1, author=author)
    opened, *comments = inbox.payloads
    assert opened["issue"]["author_association"] == "MEMBER"
    assert [each["comment"]["author_association"] for each in comments] == ["NONE", "MEMBER", "NONE"]
    person.do("label", number=1, author="octocat")
    assert inbox.payloads[-1]["issue"]["author_association"] == "MEMBER"


def test_a_transfer_is_two_events(person: Person, inbox: Inbox) -> None:
    """The issue leaves its repository, and arrives in the other one under that one's next number."""
    person.do("open", title="Wrong place")
    person.do("open", repository="other/site")
    assert person.do("transfer", number=1, to="other/site").endswith("it is other/site#2 now.")
    assert set(inbox.sent[-2:]) == {("issues.transferred", 1), ("issues.opened", 2)}
    [arrival] = [each for each in inbox.payloads if "old_issue" in each.get("changes", {})]
    assert arrival["changes"]["old_issue"]["number"] == 1
    assert person.issue(2, "other/site")["title"] == "Wrong place"
    assert person.refusal("comment", number=1) == "acme/app#1 was transferred to another repository"


def test_the_last_delivery_is_sent_again(person: Person, inbox: Inbox) -> None:
    """A redelivery has the id and the body of the first one."""
    assert person.refusal("resend") == "nothing was delivered yet"
    person.do("open")
    first = person.simulator.carry_out({"do": "resend"}).deliveries
    assert inbox.payloads[0] == inbox.payloads[1]
    listed = next(iter(person.github.github.hooks.deliveries.values()))
    assert [(each["guid"], each["redelivery"]) for each in listed] == [(first[0], True), (first[0], False)]


def test_a_burst_is_many_issues_at_once(person: Person, inbox: Inbox) -> None:
    """Each issue of a burst is one delivery, with a number and a title of its own."""
    person.do("open")
    person.do("burst")
    assert sorted(number for _, number in inbox.sent) == list(range(1, BURST + 2))
    assert len({payload["issue"]["title"] for payload in inbox.payloads}) == BURST + 1


def test_a_week_passes(person: Person, inbox: Inbox) -> None:
    """A week is dozens of events of two repositories, dated within it; the person is told how far it is."""
    assert "A week of two repositories begins" in person.do("week")
    person.week._thread.join()
    person.github.github.hooks.wait()
    assert person.told[-1] == f"The week is over: {len(inbox.sent)} events."
    assert len(inbox.sent) > 40
    assert {payload["repository"]["full_name"] for payload in inbox.payloads} == {APP, "acme/website"}
    assert {"issues.opened", "issues.closed", "issue_comment.created"} <= {event for event, _ in inbox.sent}
    opened = {payload["issue"]["created_at"][:10] for payload in inbox.payloads}
    assert len(opened) > 4
    person.do("week")
    person.week._thread.join()
    assert len({(p["repository"]["id"], p["issue"]["number"]) for p in inbox.payloads}) == 32


def test_a_week_can_be_stopped(person: Person, inbox: Inbox) -> None:
    """What has not happened then does not happen; the next week begins again."""
    person.week._seconds = 600
    assert person.do("stop") == "No week is running."
    person.do("week")
    assert person.do("week") == "A week is running already."
    assert person.do("stop") == "The week was stopped."
    assert person.told[-1].startswith("The week was stopped after ")
    assert len(inbox.sent) < 5


@pytest.mark.parametrize(
    ("what", "fields", "why"),
    [
        ("fly", {}, "do must be one of open, comment, "),
        ("open", {"title": 7}, "title must be a text that is not empty"),
        ("open", {"title": "  "}, "title must be a text that is not empty"),
        ("open", {"title": "x" * 257}, "title is too long: 257 characters, at most 256"),
        ("open", {"title": "\ud800"}, "title has half of a character"),
        ("open", {"labels": "bug"}, "labels must be a list of up to 10 names"),
        ("open", {"labels": ["x"] * 11}, "labels must be a list of up to 10 names"),
        ("open", {"labels": [None]}, "a label must be a text that is not empty"),
        ("open", {"repository": "acme"}, "repository must be OWNER/NAME"),
        ("open", {"repository": "acme/../x"}, "repository must be OWNER/NAME"),
        ("open", {"author": "not a login"}, "author must be a login"),
        ("open", {"number": True}, "number must be a whole number from 1"),
        ("open", {"number": 0}, "number must be a whole number from 1"),
        ("open", {"number": 1.5}, "number must be a whole number from 1"),
        ("open", {"number": 2**70}, "number must be a whole number from 1"),
        ("open", {"colour": "red"}, "colour is not a field; these are: do, repository, "),
        ("comment", {}, "choose an issue first"),
        ("comment", {"number": 9}, "there is no issue acme/app#9; open one first"),
        ("comment", {"number": 9, "repository": "acme/none"}, "there is no issue acme/none#9"),
        ("label", {"number": 1}, "acme/app#1 has the label bug already"),
        ("unlabel", {"number": 1, "label": "x"}, "acme/app#1 does not have the label 'x'"),
        ("assign", {"number": 1, "to": "acme/app"}, "to must be a login"),
        ("unassign", {"number": 1, "to": "mona"}, "acme/app#1 is not assigned to mona"),
        ("close", {"number": 1, "reason": "bored"}, "reason must be one of completed, "),
        ("reopen", {"number": 1}, "acme/app#1 is open"),
        ("edit", {"number": 1}, "give a new title or a new body"),
        ("transfer", {"number": 1}, "to must be the repository OWNER/NAME"),
        ("transfer", {"number": 1, "to": "Acme/App"}, "acme/app#1 is in acme/app already"),
        ("transfer", {"number": 9, "to": "other/site"}, "there is no issue acme/app#9"),
    ],
)
def test_what_is_not_possible_says_why(
    person: Person, inbox: Inbox, what: str, fields: dict, why: str
) -> None:
    """A wish that GitHub could not carry out gets one sentence, and nothing happens."""
    person.do("open", labels=["bug"])
    before = json.dumps(person.issue())
    assert why in person.refusal(what, **fields)
    assert "--" not in person.refusal(what, **fields)
    assert (len(inbox.sent), json.dumps(person.issue())) == (1, before)


def test_what_is_done_already_is_not_done_again(person: Person) -> None:
    """GitHub has no event for a change that changes nothing."""
    person.do("open")
    person.do("assign", number=1, to="mona")
    assert person.refusal("assign", number=1, to="mona") == "acme/app#1 is assigned to mona already"
    person.do("close", number=1)
    assert person.refusal("close", number=1) == "acme/app#1 is closed as completed already"
    assert "duplicate" in person.do("close", number=1, reason="duplicate")
    person.do("delete", number=1)
    assert person.refusal("reopen", number=1) == "acme/app#1 was deleted"
