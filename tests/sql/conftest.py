"""A warehouse whose clock stands still."""

from collections.abc import Callable
from datetime import datetime

import pytest

from ops import schema
from pipeline.delivery import format_time
from tests.support.warehouse import Warehouse


@pytest.fixture(scope="session")
def dataset_at(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Callable[[datetime], str]:
    """Return a function that makes a dataset in whose views it is always the same moment."""

    def make(now: datetime) -> str:
        copy = tmp_path_factory.mktemp("sql")
        (copy / "views").mkdir()
        for path in schema.files():
            text = path.read_text().replace("CURRENT_TIMESTAMP()", f"TIMESTAMP '{format_time(now)}'")
            (copy / path.relative_to(schema.SQL)).write_text(text)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(schema, "SQL", copy)
            return warehouse.dataset()

    return make
