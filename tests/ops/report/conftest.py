"""A year of three repositories in the local BigQuery."""

import pytest

from local.seed.year import team
from tests.support import year
from tests.support.warehouse import Warehouse

# What the report reads, and what it is compared with.
VIEWS = (
    "accounts",
    "backlog_age",
    "issue_events",
    "issues",
    "issues_by_week_opened",
    "issues_weekly",
    "open_issues",
    "pipeline_delay",
    "reopen_rate",
    "time_in_label",
    "time_to_close",
    "time_to_first_response",
    "waiting_on_us",
)


@pytest.fixture(scope="session")
def year_dataset(engine: Warehouse) -> str:
    """Return a dataset with what the views show of a year of three repositories."""
    dataset = engine.dataset(team=team())
    engine.load(dataset, year.rows())
    copy = engine.snapshot(dataset, VIEWS)
    engine.drop(dataset)
    return copy
