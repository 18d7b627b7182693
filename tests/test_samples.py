"""The samples are deliveries as GitHub sends them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from functions.ingest.webhook import read_delivery
from pipeline.events import IssueEvent

SAMPLES = sorted((Path(__file__).parent.parent / "samples").glob("*.json"))


def test_there_are_ten_samples() -> None:
    """The folder samples has ten deliveries."""
    assert len(SAMPLES) == 10


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_a_delivery(path: Path) -> None:
    """A sample is accepted by ingest and is named after its event and action."""
    sample = json.loads(path.read_text())
    headers = sample["headers"]
    body = json.dumps(sample["body"]).encode()
    delivery = read_delivery(headers.get, body, datetime.now(UTC))
    event = IssueEvent.from_delivery(delivery)
    name = f"{event.event}.{event.action}" if event.action else event.event
    assert path.stem.startswith(name)
    assert event.repository == "acme/app"
    assert (event.issue is None) == (event.event == "ping")
    assert event.is_pull_request == (path.stem.endswith("pull-request") if event.issue else None)
