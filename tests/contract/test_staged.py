"""Each staged folder runs alone under the functions framework."""

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import requests

from local.processes import Child, accepts, free_port
from local.slack.server import SlackServer
from pipeline.delivery import Delivery
from tests.support.checkout import FUNCTIONS, make_checkout, read_table, stage
from tests.support.messages import NOON, post_raw, push_of

SECRETS_FOLDER = "/etc/issuewire"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of what deploy.sh reads, with one route for every event, and a team with a digest."""
    copy = make_checkout(tmp_path)
    (copy / "config/team.toml").write_text('[digest]\nchannels = { "C0ROUTED001" = ["acme/*"] }\n')
    (copy / "config/routes.toml").write_text('[[route]]\nchannels = ["C0123456789"]\n')
    return copy


@pytest.fixture
def boot(checkout: Path, tmp_path: Path):
    """Start a staged function as the platform does: the console script, in the staged folder."""
    children = []

    def start(name: str, environment: Mapping[str, str]) -> tuple[str, Child]:
        port, folder = free_port(), stage(checkout, name, tmp_path / name)
        script = Path(sys.executable).parent / "functions-framework"
        # The shell changes into the staged folder, so that nothing of this checkout is importable.
        command = f"cd {folder} && exec {script} --target {name} --host 127.0.0.1 --port {port}"
        child = Child(name=name, command=["sh", "-c", command], log=tmp_path / "log", environment=environment)
        child.start()
        children.append(child)
        child.wait_until(lambda: accepts(port))
        return f"http://127.0.0.1:{port}", child

    yield start
    for child in children:
        child.stop()


def delivery() -> Delivery:
    """Return the smallest delivery that makes a card."""
    return Delivery(
        delivery_id="d-1",
        event="issues",
        body=b'{"action": "opened", "issue": {"number": 7}, "repository": {"id": 1}}',
        received_at=NOON,
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_staged_function_boots_with_the_variables_of_its_table(boot, checkout, tmp_path, name) -> None:
    """The staged modules and variables are complete: the function starts without an error."""
    (tmp_path / "secrets").mkdir()
    variables = dict(entry.split("=", 1) for entry in read_table(checkout, name, "ENVIRONMENT"))
    if "INGEST_URL" in variables:  # it is known only once ingest is deployed
        variables["INGEST_URL"] = "https://ingest.example/"
    for variable, value in variables.items():
        if value.startswith(SECRETS_FOLDER):
            file = tmp_path / "secrets" / Path(value).name
            file.write_text("xoxb-test")
            variables[variable] = str(file)
    _, child = boot(name, variables)
    assert '"severity": "CRITICAL"' not in child.log.read_text()


def test_a_staged_ingest_refuses_an_unsigned_request(boot) -> None:
    """The folder that is deployed for ingest runs alone, and answers an unsigned request with 401."""
    url, _ = boot("ingest", {"PUBSUB_TOPIC": "projects/p/topics/t", "WEBHOOK_SECRET": "projects/p/secrets/s"})
    assert requests.post(url, json={}, timeout=30).status_code == 401


def test_a_staged_notify_slack_posts(boot) -> None:
    """The folder that is deployed for notify_slack runs alone and contains the routes file."""
    slack = SlackServer(channels={"C0123456789": "issues"}, token="xoxb-test")
    try:
        url, _ = boot("notify_slack", {"SLACK_TOKEN": "xoxb-test", "SLACK_API_URL": slack.start()})
        assert post_raw(url, push_of(delivery())).status_code == 200
        assert [message.channel for message in slack.messages] == ["C0123456789"]
    finally:
        slack.stop()


def test_a_staged_stream_bq_does_not_acknowledge_what_it_cannot_store(boot) -> None:
    """The folder that is deployed for stream_bq runs alone, and answers 500 if BigQuery is unreachable."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    url, child = boot("stream_bq", {"BIGQUERY_TABLE": "p.d.events", "BIGQUERY_EMULATOR_HOST": nowhere})
    assert post_raw(url, push_of(delivery())).status_code == 500
    assert '"reason": "bigquery_failed"' in child.log.read_text()
