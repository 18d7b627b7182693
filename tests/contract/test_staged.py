"""What is deployed: a function's folder with the package pipeline beside main.py, and nothing else."""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import requests

from local.processes import Child, accepts, free_port
from local.slack.server import SlackServer
from pipeline.delivery import Delivery
from tests.support.messages import NOON, post_raw, push_of

ROOT = Path(__file__).parent.parent.parent
ROUTES = '[[route]]\nchannels = ["C0123456789"]\n'


def stage(name: str, folder: Path) -> Path:
    """Copy what a deployment uploads."""
    ignore = shutil.ignore_patterns("__pycache__")
    staged = shutil.copytree(ROOT / "functions" / name, folder / name, ignore=ignore)
    for package in ("pipeline", "clients"):
        shutil.copytree(ROOT / package, staged / package, ignore=ignore)
    (staged / "routes.toml").write_text(ROUTES)
    return staged


@pytest.fixture
def boot(tmp_path: Path):
    """Start a staged function as the platform does: the console script, in the staged folder."""
    children = []

    def start(name: str, environment: Mapping[str, str]) -> tuple[str, Child]:
        port = free_port()
        script = Path(sys.executable).parent / "functions-framework"
        # The shell changes into the staged folder, so that nothing of this checkout is importable.
        command = (
            f"cd {stage(name, tmp_path)} && exec {script} --target {name} --host 127.0.0.1 --port {port}"
        )
        child = Child(name=name, command=["sh", "-c", command], log=tmp_path / "log", environment=environment)
        child.start()
        children.append(child)
        child.wait_until(lambda: accepts(port))
        return f"http://127.0.0.1:{port}", child

    yield start
    for child in children:
        child.stop()


def delivery() -> Delivery:
    """Return the least that makes a card."""
    return Delivery(
        delivery_id="d-1",
        event="issues",
        body=b'{"action": "opened", "issue": {"number": 7}, "repository": {"id": 1}}',
        received_at=NOON,
    )


def test_a_staged_ingest_boots_and_answers(boot) -> None:
    """The folder that is deployed for ingest runs alone and refuses an unsigned request."""
    url, _ = boot("ingest", {"PUBSUB_TOPIC": "projects/p/topics/t", "WEBHOOK_SECRET": "projects/p/secrets/s"})
    assert requests.post(url, json={}, timeout=30).status_code == 401


def test_a_staged_notify_slack_boots_and_posts(boot) -> None:
    """The folder that is deployed for notify_slack runs alone, with the routes file in it."""
    slack = SlackServer(channels={"C0123456789": "issues"}, token="xoxb-test")
    try:
        url, _ = boot("notify_slack", {"SLACK_TOKEN": "xoxb-test", "SLACK_API_URL": slack.start()})
        assert post_raw(url, push_of(delivery())).status_code == 200
        assert [message.channel for message in slack.messages] == ["C0123456789"]
    finally:
        slack.stop()


def test_a_staged_stream_bq_boots_and_tries(boot) -> None:
    """The folder that is deployed for stream_bq runs alone, and does not acknowledge what it cannot store."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    url, child = boot("stream_bq", {"BIGQUERY_TABLE": "p.d.events", "BIGQUERY_EMULATOR_HOST": nowhere})
    assert post_raw(url, push_of(delivery())).status_code == 500
    assert '"reason": "bigquery_failed"' in child.log.read_text()
