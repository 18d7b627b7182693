"""An ingest for the tests of `send`, which run without settings of the user."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ops import local_stack
from ops.send import memory
from tests.ops.send.receiver import Receiver, listening


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Yield a running ingest that records requests."""
    with listening() as received:
        yield received


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, without the user's own settings and running stack."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(local_stack, "ENDPOINTS", tmp_path / ".local" / "endpoints.json")
    monkeypatch.setattr(memory, "FOLDER", tmp_path / ".local" / "sent")
    monkeypatch.delenv("ISSUEWIRE_WEBHOOK_SECRET", raising=False)
