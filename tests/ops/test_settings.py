"""Settings that several commands read."""

import click
import pytest

from ops.settings import find_dataset, read_topic
from pipeline.errors import ConfigurationError


def test_a_command_needs_a_full_topic() -> None:
    """PUBSUB_TOPIC must be a topic's full name, as for ingest."""
    assert read_topic({"PUBSUB_TOPIC": "projects/p/topics/t"}) == "projects/p/topics/t"
    with pytest.raises(ConfigurationError, match="PUBSUB_TOPIC is not of the form projects/P/topics/T"):
        read_topic({"PUBSUB_TOPIC": "github-events"})


@pytest.mark.parametrize(
    ("project", "dataset", "environment", "expected"),
    [
        (None, None, "p.d", ("p", "d")),
        ("q", None, "p.d", ("q", "d")),
        (None, "e", "p.d", ("p", "e")),
        ("q", "e", "nonsense", ("q", "e")),
        ("q", None, "", ("q", "github")),
        (None, None, "example.com:p.d", ("example.com:p", "d")),
    ],
)
def test_the_dataset_comes_from_options_or_the_environment(
    project: str | None,
    dataset: str | None,
    environment: str,
    expected: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """BIGQUERY_DATASET is the default of both; an option wins."""
    monkeypatch.setenv("BIGQUERY_DATASET", environment)
    assert find_dataset(project, dataset) == expected


def test_a_dataset_is_one_name() -> None:
    """A dot in the name would be read as another project."""
    with pytest.raises(click.BadParameter, match="use letters, digits and underscores only"):
        find_dataset("p", "a.b")
