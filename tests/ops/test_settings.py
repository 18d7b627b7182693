"""Commands check the settings that they share."""

import pytest

from ops.settings import read_topic
from pipeline.errors import ConfigurationError


def test_a_command_needs_a_full_topic() -> None:
    """PUBSUB_TOPIC must be a topic's full name, as for ingest."""
    assert read_topic({"PUBSUB_TOPIC": "projects/p/topics/t"}) == "projects/p/topics/t"
    with pytest.raises(ConfigurationError, match="PUBSUB_TOPIC is not of the form projects/P/topics/T"):
        read_topic({"PUBSUB_TOPIC": "github-events"})
