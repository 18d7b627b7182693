"""Settings that commands share."""

from collections.abc import Mapping

from pipeline.settings import SettingsReader


def read_topic(environment: Mapping[str, str]) -> str:
    """Return PUBSUB_TOPIC, projects/P/topics/T. Raises ConfigurationError."""
    read = SettingsReader(environment)
    topic = read.topic()
    read.finish()
    return topic
