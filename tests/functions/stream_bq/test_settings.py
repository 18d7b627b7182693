"""stream_bq needs a table, and stores payloads by default."""

import pytest

from functions.stream_bq.settings import Settings
from pipeline.errors import ConfigurationError


@pytest.mark.parametrize(
    "table", ["p.github.events", "my-project.github.events", "example.com:p.github.events"]
)
def test_a_table_is_a_full_name(table: str) -> None:
    """A table is a full name, whose project's id may begin with a domain; payloads are stored by default."""
    settings = Settings.from_environment({"BIGQUERY_TABLE": table})
    assert settings == Settings(table=table, store_payload=True)


@pytest.mark.parametrize(
    "table", ["events", "github.events", "p.github.events.x", "p.git hub.events", "p..events", "`p.g.e`"]
)
def test_another_name_is_refused(table: str) -> None:
    """Another name is refused, because it would fail at the first row."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_environment({"BIGQUERY_TABLE": table})
    assert caught.value.problems == ("BIGQUERY_TABLE is not of the form PROJECT.DATASET.TABLE",)


def test_a_misspelt_switch_is_refused() -> None:
    """A misspelt STORE_PAYLOAD is refused, because payloads could be stored by mistake."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_environment({"STORE_PAYLOAD": "flase"})
    assert caught.value.problems == (
        "BIGQUERY_TABLE is not set (expected PROJECT.DATASET.TABLE)",
        "STORE_PAYLOAD is neither true nor false",
    )
