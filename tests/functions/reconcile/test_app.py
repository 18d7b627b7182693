"""With a GitHub App, a run lists and repeats what the App's own webhook delivered."""

from pathlib import Path
from typing import Any

import pytest

from clients.github.hook_deliveries import APP
from functions.reconcile.run import Report
from local.github.github_app import APP_ID, HOOK_ID, PLACE, private_key
from tests.functions.reconcile.rig import INGEST, Rig
from tests.support.messages import an_issue


class AppRig(Rig):
    """The App is installed on acme, and its webhook points to ingest."""

    def __init__(self, folder: Path, **permissions: str) -> None:
        super().__init__()
        self.github.organizations.add("acme")
        self.key_file = folder / "key.pem"
        self.key_file.write_text(private_key())
        self.installation = self.github.app.install(
            "acme", permissions={"issues": "read", "metadata": "read", **permissions}
        )
        self.github.set_app_hook(url=INGEST)

    def run(self, seconds: float = 1500, **environment: str) -> Report:
        """Make one run as the App."""
        app = {"GITHUB_TOKEN": "", "GITHUB_APP_ID": str(APP_ID), "GITHUB_APP_KEY_FILE": str(self.key_file)}
        return super().run(seconds, **app, **environment)

    def open(self, number: int, name: str = "acme/app") -> str:
        """Open an issue now, and return the delivery's GUID."""
        self.clock.advance(60)
        repository = self.github.host(name).repository
        issue = an_issue(number=number, repository=repository, created_at=self.clock.now)
        return self.github.emit(name, issue.opened())

    def fail_first_attempts(self) -> None:
        """Let ingest be away for the first attempt of every delivery."""
        self.status_of = lambda _event, _guid, number: 503 if number == 1 else 202

    def rows(self) -> dict[str, tuple[Any, ...]]:
        """Return by source what the ledger's rows say."""
        return {
            row.source: (row.hook_id, row.expected, row.stored, row.recovered, row.lost)
            for row in self.warehouse.rows
        }


@pytest.fixture
def rig(tmp_path: Path) -> AppRig:
    """Return GitHub with an App that may not read webhooks of repositories."""
    return AppRig(tmp_path)


def test_what_the_app_s_webhook_did_not_deliver_is_asked_for(rig: AppRig) -> None:
    """The App's webhook is enough: no permission for others, no problem, and rows with the hook id 0."""
    rig.fail_first_attempts()
    guids = [rig.open(number) for number in range(1, 4)]
    assert rig.warehouse.events == {}
    report = rig.run(GITHUB_SOURCES="acme/app,acme")
    assert (report.failures, report.problems) == ([], [])
    assert sorted(rig.asked()) == sorted(guids)
    rig.clock.advance(3600)
    report = rig.run(GITHUB_SOURCES="acme/app,acme")
    assert (report.failures, report.problems, len(rig.asked())) == ([], [], 3)
    assert set(rig.warehouse.events) == set(guids)
    assert rig.rows() == {APP: (0, 3, 3, 3, 0), "acme/app": (None, 0, 0, 0, 0), "acme": (None, 0, 0, 0, 0)}
    assert rig.topic.published == []


def test_the_app_beside_a_repository_s_webhook_doubles_nothing(tmp_path: Path) -> None:
    """Both deliver one GUID. What neither delivered is asked for once, of the App, which always may."""
    rig = AppRig(tmp_path, repository_hooks="read")
    own = rig.hook()
    rig.fail_first_attempts()
    by_one = rig.open(1)
    rig.status_of = lambda _event, _guid, number: 503 if number <= 2 else 202
    by_none = rig.open(2)
    assert rig.run().failures == []
    assert rig.asked() == [by_none]
    deliveries = rig.github.hooks.deliveries
    assert [each["redelivery"] for each in deliveries[own["id"]]] == [False, False, False]
    assert [each["guid"] for each in deliveries[HOOK_ID] if each["redelivery"]] == [by_none]
    rig.clock.advance(3600)
    assert rig.run().problems == []
    assert rig.asked() == [by_none]
    assert set(rig.warehouse.events) == {by_one, by_none}
    assert rig.topic.published == []
    assert rig.rows() == {APP: (0, 2, 2, 1, 0), "acme/app": (own["id"], 2, 2, 2, 0)}


def test_an_app_that_delivers_elsewhere_is_credentials_only(tmp_path: Path) -> None:
    """Then the webhook of the repository counts, and without one it is missing, as with a token."""
    rig = AppRig(tmp_path, repository_hooks="write")
    rig.github.set_app_hook(url="https://ci.example/")
    rig.github.hooks.by_place[PLACE][HOOK_ID]["active"] = False
    assert [problem.reason for problem in rig.run().problems] == ["hook_missing"]
    rig.hook()
    rig.fail_first_attempts()
    guid = rig.open(1)
    assert rig.run().problems == []
    assert rig.asked() == [guid]
    rig.github.hooks.by_place[PLACE].clear()
    rig.clock.advance(3600)
    assert rig.run().failures == []
    assert set(rig.rows()) == {"acme/app"}


def test_a_webhook_that_the_app_may_not_read_is_a_failure_unless_the_app_delivers(rig: AppRig) -> None:
    """Without the App's own webhook the run cannot know what a repository's did not deliver."""
    rig.github.set_app_hook(url="https://ci.example/")
    report = rig.run()
    assert [failure.reason for failure in report.failures] == ["hooks_forbidden"]
    assert "an App: Webhooks" in str(report.failures[0])
    assert rig.warehouse.rows == []


def test_a_source_without_the_app_hides_no_other(rig: AppRig) -> None:
    """What failed elsewhere is asked for all the same; the run proves nothing and says where to install."""
    rig.github.host("mona/own")
    rig.fail_first_attempts()
    guid = rig.open(1)
    report = rig.run(GITHUB_SOURCES="mona/own,acme/app")
    assert [failure.reason for failure in report.failures] == ["app_not_installed"]
    assert "not installed on mona/own" in str(report.failures[0])
    assert (rig.asked(), rig.warehouse.rows) == ([guid], [])


def test_an_app_s_wrong_secret_is_a_problem_with_a_fix_of_its_own(rig: AppRig) -> None:
    """If ingest refuses the App's signature, the secret belongs on the App's page."""
    rig.status_of = lambda *_: 401
    rig.open(1)
    (problem,) = rig.run().problems
    assert problem.reason == "hook_refused"
    assert "store the secret that ./deploy.sh secrets show prints on the App's page" in problem.text


def test_a_run_longer_than_an_hour_renews_its_token(rig: AppRig) -> None:
    """A token ends during the run and is replaced; no request is refused for it.

    Another one was dropped when GitHub refused to list the hooks, in case the App is allowed to by now.
    """
    rig.app._seconds = 50.0
    for number in range(1, 80):
        rig.open(number, f"acme/app{number}")
    assert rig.run(seconds=10**6, GITHUB_SOURCES="acme").failures == []
    assert len(rig.server.targets("access_tokens")) == 3
