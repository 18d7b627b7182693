"""A dataset that the tests of the views share, with its own repository for each test."""

import re
from typing import cast

import pytest

from ops.send import accounts
from tests.sql.cases import NOW, Case, dataset_at
from tests.sql.prepared import Prepared, Recorder
from tests.support.warehouse import Warehouse


@pytest.fixture(scope="session")
def dataset(engine: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the dataset that the tests share."""
    return dataset_at(NOW, engine, tmp_path_factory.mktemp("sql"))


def repository_of(item: pytest.Item) -> accounts.Repository:
    """Return the repository of a test."""
    name = re.sub(r"\W+", "-", item.name)
    return accounts.Repository(full_name=f"acme/{name}")


@pytest.fixture(scope="session")
def prepared(engine: Warehouse, dataset: str, request: pytest.FixtureRequest) -> Prepared | None:
    """Store the rows of all tests that share the dataset; a module with another dataset has none."""
    stored = Prepared(engine, dataset)
    items = [item for item in request.session.items if "case" in getattr(item, "fixturenames", ())]

    def make_case(recorder: Recorder, item: pytest.Item) -> Case:
        return Case(warehouse=cast(Warehouse, recorder), dataset=dataset, repository=repository_of(item))

    stored.store([item for item in items if item.nodeid.startswith("tests/sql/")], make_case)
    return stored


@pytest.fixture
def case(engine: Warehouse, dataset: str, prepared: Prepared | None, request: pytest.FixtureRequest) -> Case:
    """Return the test's repository."""
    return Case(
        warehouse=engine,
        dataset=dataset,
        repository=repository_of(request.node),
        prepared=prepared,
        expected=prepared.rows_of(request.node.nodeid) if prepared else [],
    )
