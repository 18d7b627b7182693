"""digest under the real functions framework, with all of its neighbours on loopback."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import requests

from local.github.server import TOKEN, GitHubServer
from local.slack.message import Message
from local.slack.server import SlackServer
from ops.send.accounts import Account
from tests.support.framework import Function, function
from tests.support.messages import NOON, an_issue
from tests.support.warehouse import PROJECT, Warehouse

CHANNEL = "C0123456789"
TEAM = f"""
[team]
logins = ["mona"]
[[target]]
respond_in = "1d"
[digest]
channels = {{ "{CHANNEL}" = ["acme/*"] }}
"""
ROUTES = '[people]\nkim = "U1KIM"\n'
# In place of the view of sql/, whose content its own tests hold.
VIEW = """
CREATE OR REPLACE VIEW `${DATASET}.waiting_on_us` AS
SELECT
  1 AS repository_id, 'acme/app' AS repository, number AS issue_number, 'Export <!here> fails' AS title,
  CAST(NULL AS STRING) AS url, 'octavia' AS author, TIMESTAMP '2026-01-05 12:00:00' AS opened_at,
  TIMESTAMP '2026-01-05 12:00:00' AS waiting_since, 1.0 AS waiting_hours, 1.0 AS working_hours,
  ['bug'] AS labels, ['kim'] AS assignees
FROM UNNEST([7, 8]) AS number
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """The running function and what it asks."""

    function: Function
    slack: SlackServer
    warehouse: Warehouse
    dataset: str

    @property
    def messages(self) -> list[Message]:
        """Return the messages in Slack."""
        return self.slack.messages

    def call(self) -> requests.Response:
        """Call the function as Cloud Scheduler does."""
        return requests.post(self.function.url, timeout=60)


@pytest.fixture(scope="module")
def up(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Start the function; two issues wait by BigQuery, one of which was answered by GitHub."""
    folder, dataset = tmp_path_factory.mktemp("digest"), warehouse.dataset(views=())
    (folder / "team.toml").write_text(TEAM)
    (folder / "routes.toml").write_text(ROUTES)
    with GitHubServer() as github, SlackServer(channels={CHANNEL: "issues"}, token="xoxb-1") as slack:
        github.github.host("acme/app")
        for number in (7, 8):
            issue = an_issue(number=number)
            github.github.emit("acme/app", issue.opened())
        github.github.emit("acme/app", issue.commented(Account(login="mona"), datetime.now(UTC), "Yes"))
        environment = {
            "SLACK_TOKEN": "xoxb-1",
            "SLACK_API_URL": slack.url,
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_API_URL": github.url,
            "BIGQUERY_DATASET": f"{PROJECT}.{dataset}",
            "BIGQUERY_EMULATOR_HOST": warehouse.url,
            "TEAM_FILE": str(folder / "team.toml"),
            "ROUTES_FILE": str(folder / "routes.toml"),
        }
        with function("digest", folder, environment) as running:
            yield Up(function=running, slack=slack, warehouse=warehouse, dataset=dataset)


def test_a_failed_query_is_not_nothing_due(up: Up) -> None:
    """A view that is missing is one ERROR that says what to do, a 500, and no message."""
    answer = up.call()
    assert (answer.status_code, answer.json()["failed"]) == (500, ["table_missing"])
    [line] = [line for line in up.function.log_lines() if line["severity"] == "ERROR"]
    assert (line["reason"], line["kind"]) == ("table_missing", "daily")
    assert "./deploy.sh setup" in line["message"]
    assert up.messages == []


def test_a_morning_has_one_digest(up: Up) -> None:
    """The next call sends what the failed one could not, and a further one sends nothing."""
    up.warehouse.query(VIEW, up.dataset)
    days = {datetime.now(UTC).date().isoformat()}
    answers = [up.call(), up.call()]
    days.add(datetime.now(UTC).date().isoformat())
    assert [answer.status_code for answer in answers] == [200, 200]
    if len(days) == 1:  # else midnight has passed
        [day] = days
        counts = [{"posted": 1}, {"already_posted": 1}]
        assert [answer.json() for answer in answers] == [{"day": day, **count} for count in counts]
        [message] = up.messages
        assert message.text == "Waiting for an answer: 1 overdue"
    text = str(up.messages[0].blocks)
    assert "<https://github.com/acme/app/issues/7|Export &lt;!here&gt; fails>" in text
    assert "issues/8" not in text
    assert "assigned to <@U1KIM>" in text
    assert f"<!date^{int(NOON.timestamp())}^" in text


def test_only_post_sends_a_digest(up: Up) -> None:
    """Another method is answered with 405 and reads nothing."""
    before = len(up.slack.requests)
    answer = requests.get(up.function.url, timeout=30)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert len(up.slack.requests) == before
