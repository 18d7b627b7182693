"""A year of three repositories in the local BigQuery."""

import pytest

from tests.support import year
from tests.support.warehouse import Warehouse


@pytest.fixture(scope="session")
def year_dataset(engine: Warehouse) -> str:
    """Return a dataset with a year of three repositories."""
    dataset = engine.dataset()
    engine.load(dataset, year.rows())
    return dataset
