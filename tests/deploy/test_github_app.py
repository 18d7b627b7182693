"""deploy/github_app.py has GitHub create an App, on a page that only this run's browser can use."""

import json
import re
import subprocess
import sys
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

from deploy.app_manifest import NAME_LENGTH, Failed, exchange, form_url, manifest
from deploy.github_app import Registration, can_open_browser
from tests.deploy.manifest_github import APP, Browser, ManifestGitHub
from tests.support.checkout import ROOT

FORM = "/settings/apps/new"
GIVEN = {name: APP[name] for name in ("id", "slug", "name", "html_url", "pem", "webhook_secret")}


class Run:
    """A registration that waits in a thread, and the browser in front of it."""

    def __init__(self, github: ManifestGitHub, seconds: float = 10) -> None:
        self.said: list[str] = []
        self.answer: object = None
        self.browser = Browser()
        self.registration = Registration(github.url, self.said.append)
        self.manifest = manifest(
            name="Issuewire acme",
            homepage="https://github.com/acme",
            webhook_url="https://ingest.example/",
            events="issues,issue_comment,repository",
            redirect_url=self.registration.redirect_url,
        )
        self._opened = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(form_url(github.url, ""), seconds))
        self._thread.start()
        assert self._opened.wait(10)

    def _run(self, form: str, seconds: float) -> None:
        try:
            self.answer = self.registration.run(seconds, form, self.manifest, self._opened.set)
        except Failed as error:
            self.answer = str(error)

    def press(self) -> None:
        """Do what a person does: open the page, continue to GitHub, and press its button."""
        forms = self.browser.open(self.registration.url).forms
        action = next(action for action in forms if FORM in action)
        self.shown = self.browser.open(action, data=forms[action])

    def cancel(self) -> None:
        """Press Cancel."""
        self.shown = self.browser.open(f"{self.registration.url}cancel", data={})

    def end(self) -> object:
        """Return GitHub's answer, or why there is none."""
        self._thread.join(15)
        assert not self._thread.is_alive()
        return self.answer


@pytest.fixture
def github():
    """Return a GitHub on loopback."""
    server = ManifestGitHub()
    yield server
    server.close()


def test_the_app_is_what_the_manifest_says(github):
    """GitHub's form gets name, webhook, events and least permissions; the code's answer is returned."""
    run = Run(github)
    run.press()
    assert run.end() == GIVEN
    assert github.manifests[FORM] == {
        "name": "Issuewire acme",
        "url": "https://github.com/acme",
        "hook_attributes": {"url": "https://ingest.example/", "active": True},
        "redirect_url": run.registration.redirect_url,
        "public": False,
        "default_permissions": {"issues": "write", "metadata": "read"},
        "default_events": ["issues", "issue_comment", "repository"],
    }
    assert (run.shown.status, "created the App Issuewire acme" in run.shown.html) == (200, True)
    assert [secret for secret in (APP["webhook_secret"], "MIIE", "code-1") if secret in run.shown.html] == []
    assert run.said == []


def test_a_name_is_as_short_as_github_wants(github):
    """GitHub refuses a name of more than 34 characters."""
    run = Run(github)
    made = manifest(name="Issuewire " + "x" * 30, homepage="h", webhook_url="w", events="e", redirect_url="r")
    assert len(made["name"]) == NAME_LENGTH
    run.cancel()
    run.end()


def test_an_app_of_an_organization_has_its_own_form():
    """The form of an organization is on its own page, also on GitHub Enterprise Server."""
    assert (
        form_url("https://ghes.example", "acme")
        == "https://ghes.example/organizations/acme/settings/apps/new"
    )


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("code=code-1&state=guessed", "does not belong to this run"),
        ("code=code-1", "does not belong to this run"),
        ("state={state}", "GitHub sent no code"),
        ("code=..%2F..&state={state}", "GitHub sent no code"),
    ],
)
def test_a_foreign_answer_is_refused_and_the_right_one_still_counts(github, query, message):
    """Without our state or a code nothing is exchanged, and the run goes on."""
    run = Run(github)
    forms = run.browser.open(run.registration.url).forms
    state = next(parse_qs(urlsplit(action).query)["state"][0] for action in forms if FORM in action)
    page = run.browser.open(f"{run.registration.redirect_url}?{query.format(state=state)}")
    assert (page.status, github.exchanged) == (400, 0)
    assert message in "".join(run.said)
    run.press()
    assert run.end() == GIVEN


def test_the_page_belongs_to_this_run_alone(github):
    """A guessed path and another host name are refused; the page has no script."""
    run = Run(github)
    address = f"http://127.0.0.1:{run.registration.port}"
    assert run.browser.open(f"{address}/").status == 404
    assert run.browser.open(f"{address}/created?code=code-1").status == 404
    assert run.browser.open(run.registration.url, host="evil.example").status == 421
    page = run.browser.open(run.registration.url)
    assert "script" not in page.html
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert page.headers["Cache-Control"] == "no-store"
    run.cancel()
    assert run.end() == "cancelled on the page"
    assert (run.shown.status, github.exchanged) == (200, 0)


def test_a_form_that_no_one_completes_ends_in_time(github):
    """The page does not wait for ever, and says what to do about an App that GitHub shows nevertheless."""
    assert "if GitHub shows one, delete it" in str(Run(github, seconds=0.01).end())


def test_a_code_is_sent_again_until_github_answers(github):
    """An error of GitHub is repeated with pauses; the code is valid until it is answered."""
    github.failures = [502, 429, 500]
    paused: list[float] = []
    assert exchange(github.url, "code-1", paused.append) == GIVEN
    assert paused == [1, 3, 9]


@pytest.mark.parametrize(
    ("failures", "exchanges", "message"),
    [
        ([404], 1, "GitHub answers 404 to the code, which is valid once and for an hour"),
        ([500] * 4, 4, "GitHub answers 500"),
    ],
)
def test_a_code_that_github_refuses_is_reported_with_what_to_do(github, failures, exchanges, message):
    """An expired code is not repeated; the App exists already, so the message says to delete it."""
    github.failures = failures
    with pytest.raises(Failed, match="delete the App at GitHub and run again") as raised:
        exchange(github.url, "code-1", lambda _: None)
    assert str(raised.value).startswith(message)
    assert github.exchanged == exchanges


@pytest.mark.parametrize(
    ("environment", "platform", "opens"),
    [
        ({}, "darwin", True),
        ({"DISPLAY": ":0"}, "linux", True),
        ({}, "linux", False),
        ({"SSH_CONNECTION": "1", "DISPLAY": ":0"}, "linux", False),
        ({"SSH_CONNECTION": "1", "BROWSER": "w"}, "linux", True),
    ],
)
def test_a_browser_is_opened_only_where_the_operator_sees_it(environment, platform, opens):
    """On a remote or headless machine nothing is started: a browser of the terminal would take it over."""
    assert can_open_browser(environment, platform) is opens


def test_the_program_prints_the_answer_alone(github):
    """The answer is all of stdout; the page's address, and how to reach it from elsewhere, are apart."""
    program = subprocess.Popen(
        [
            *(sys.executable, "deploy/github_app.py", "--github-url", github.url, "--api-url", github.url),
            *("--name", "Issuewire acme", "--homepage", "https://github.com", "--webhook-url", "https://i/"),
            *("--events", "issues", "--seconds", "10"),
        ],
        cwd=ROOT,
        env={"SSH_CONNECTION": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    assert program.stderr is not None
    with program:
        lines = [program.stderr.readline() for _ in range(3)]
        found = re.search(r"http://127\.0\.0\.1:(\d+)/\S+", lines[0])
        assert found is not None
        assert f"ssh -L {found[1]}:127.0.0.1:{found[1]} " in lines[1]
        browser = Browser()
        forms = browser.open(found[0]).forms
        action = next(action for action in forms if FORM in action)
        browser.open(action, data=forms[action])
        out, err = program.communicate(timeout=10)
    assert (json.loads(out), err, program.returncode) == (GIVEN, "", 0)
