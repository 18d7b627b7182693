"""Datasets whose views always see the same time, and a repository in one for each test."""

import re
from collections.abc import Callable
from datetime import datetime

import pytest

from ops import schema
from ops.send import accounts
from pipeline.delivery import format_time
from tests.sql.cases import NOW, Case
from tests.support.warehouse import Warehouse


@pytest.fixture(scope="session")
def dataset_at(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Callable[[datetime], str]:
    """Return a function that creates a dataset in whose views it is always the given time."""

    def create(now: datetime) -> str:
        copy = tmp_path_factory.mktemp("sql")
        (copy / "views").mkdir()
        for path in schema.files():
            text = path.read_text().replace("CURRENT_TIMESTAMP()", f"TIMESTAMP '{format_time(now)}'")
            (copy / path.relative_to(schema.SQL)).write_text(text)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(schema, "SQL", copy)
            return warehouse.dataset()

    return create


@pytest.fixture(scope="session")
def dataset(dataset_at: Callable[[datetime], str]) -> str:
    """Return the dataset that the tests share; each test has its own repository in it."""
    return dataset_at(NOW)


@pytest.fixture
def case(warehouse: Warehouse, dataset: str, request: pytest.FixtureRequest) -> Case:
    """Return the test's repository."""
    name = re.sub(r"\W+", "-", request.node.name)
    return Case(
        warehouse=warehouse, dataset=dataset, repository=accounts.Repository(full_name=f"acme/{name}")
    )
