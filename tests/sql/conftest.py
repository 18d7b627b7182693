"""A dataset that the tests of the views share, with its own repository for each test."""

import re

import pytest

from ops.send import accounts
from tests.sql.cases import NOW, Case, dataset_at
from tests.support.warehouse import Warehouse


@pytest.fixture(scope="session")
def dataset(engine: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the dataset that the tests share."""
    return dataset_at(NOW, engine, tmp_path_factory.mktemp("sql"))


@pytest.fixture
def case(engine: Warehouse, dataset: str, request: pytest.FixtureRequest) -> Case:
    """Return the test's repository."""
    name = re.sub(r"\W+", "-", request.node.name)
    return Case(warehouse=engine, dataset=dataset, repository=accounts.Repository(full_name=f"acme/{name}"))
