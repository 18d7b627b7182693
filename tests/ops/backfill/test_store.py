"""The store keeps everything or nothing of each save, for its owner only, until the work is done."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ops.backfill.checkpoint import Checkpoint, Delivered, ListPosition
from ops.backfill.store import BackfillStore, Gap
from pipeline.errors import Unavailable

BEGAN = datetime(2026, 10, 1, 8, 0, 0, 5, tzinfo=UTC)
CHECKPOINT = Checkpoint(repository={"id": 1, "full_name": "acme/app"}, began_at=BEGAN, since=None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the store is."""
    return tmp_path / "state" / "app.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[BackfillStore]:
    """Open a new store with a checkpoint."""
    store = BackfillStore(path, restart=False)
    store.save(CHECKPOINT)
    yield store
    store.close()


def issue(number: int, created_at: str = "2026-01-05T12:00:00Z", **changes: Any) -> dict[str, Any]:
    """Return an issue as the REST API gives it."""
    return {"number": number, "id": number, "created_at": created_at, "comments": 0, **changes}


def comment(number: int, of: int, created_at: str = "2026-01-05T12:00:00Z") -> dict[str, Any]:
    """Return a comment as the REST API gives it."""
    return {"id": number, "issue_url": f"https://api.github.com/issues/{of}", "created_at": created_at}


def error_of(path: Path) -> Unavailable:
    """Return the error of opening a store."""
    with pytest.raises(Unavailable) as caught:
        BackfillStore(path, restart=False)
    return caught.value


def test_a_checkpoint_survives_its_text() -> None:
    """A checkpoint is read from its JSON as it was written, with times and positions."""
    delivered = Delivered(until=BEGAN, number=7, counts={"issues.opened": 3})
    checkpoint = replace(
        CHECKPOINT.moved("issues", ListPosition(next="https://x", count=100)),
        since=BEGAN,
        events_from="2026-01-05T12:00:00Z",
        gaps_to=5,
        complete=True,
        delivered={"t": delivered, "p.d.events": replace(delivered, until=None)},
    )
    assert Checkpoint.from_json(checkpoint.to_json()) == checkpoint
    assert Checkpoint.from_json(CHECKPOINT.to_json()) == CHECKPOINT
    assert CHECKPOINT.position("issues") == ListPosition()


def test_a_closed_store_resumes(store: BackfillStore, path: Path) -> None:
    """A store that is opened again has its checkpoint and its issues."""
    store.save(replace(CHECKPOINT, gaps_to=3), issues=[issue(3)], read_at=BEGAN, comments=[comment(1, 3)])
    store.close()
    again = BackfillStore(path, restart=False)
    assert again.checkpoint == replace(CHECKPOINT, gaps_to=3)
    [(number, history)] = again.histories(0)
    assert (number, history.issue["id"], history.read_at) == (3, 3, BEGAN)
    assert [each["id"] for each in history.comments] == [1]
    again.close()


def test_a_finished_store_is_deleted(store: BackfillStore, path: Path) -> None:
    """When everything is published, the text of the issues is deleted."""
    store.save(issues=[issue(3)], read_at=BEGAN)
    store.finish()
    store.close()
    assert [*path.parent.iterdir()] == []


def test_a_store_that_has_not_begun_is_deleted(path: Path) -> None:
    """Without a checkpoint there is nothing to resume, and no file is left."""
    BackfillStore(path, restart=False).close()
    assert [*path.parent.iterdir()] == []


@pytest.mark.parametrize("restart", [False, True])
def test_what_has_no_checkpoint_is_emptied(store: BackfillStore, path: Path, *, restart: bool) -> None:
    """A store without a checkpoint, as a kill may leave it, begins empty; so does one with restart."""
    store.save(issues=[issue(3)], read_at=BEGAN)
    store.close()
    if not restart:
        with sqlite3.connect(path) as database:
            database.execute("DELETE FROM checkpoint")
        database.close()
    again = BackfillStore(path, restart=restart)
    assert (again.checkpoint, again.issues()) == (None, 0)
    again.close()


def test_a_failed_save_leaves_nothing(store: BackfillStore) -> None:
    """If one object cannot be stored, the others and the checkpoint are as before."""
    with pytest.raises(KeyError):
        store.save(replace(CHECKPOINT, gaps_to=3), issues=[issue(3)], read_at=BEGAN, comments=[{"id": 1}])
    assert (store.checkpoint, store.issues()) == (CHECKPOINT, 0)


def test_only_one_process_has_it_open(store: BackfillStore, path: Path) -> None:
    """A second process gets an error, and the first one goes on."""
    assert error_of(path).reason == "backfill_running"
    store.save(issues=[issue(3)], read_at=BEGAN)


def test_a_damaged_store_is_an_error(path: Path) -> None:
    """A file that is not a store is an error that names the fix, and --restart replaces it."""
    path.parent.mkdir()
    path.write_bytes(b"not a database, " * 400)
    error = error_of(path)
    assert (error.reason, "use --restart to begin again" in str(error)) == ("backfill_store_damaged", True)
    BackfillStore(path, restart=True).close()
    assert not path.exists()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """A path below a file is an error that names the path."""
    (tmp_path / "state").write_text("")
    error = error_of(tmp_path / "state" / "app.sqlite3")
    assert (error.reason, "cannot be written" in str(error)) == ("backfill_store_unusable", True)


def test_issues_and_pull_requests_are_counted(store: BackfillStore) -> None:
    """Pull requests are counted apart, and issues also up to a number."""
    store.save(issues=[issue(1), issue(2), issue(3, pull_request={"url": "x"})], read_at=BEGAN)
    assert (store.issues(), store.issues(up_to=1), store.pull_requests()) == (2, 1, 1)
    assert [number for number, _ in store.histories(1)] == [2]


def test_old_entries_are_counted(store: BackfillStore) -> None:
    """Issues, comments and events before a moment are counted together."""
    old = "2020-02-01T11:59:59Z"
    store.save(
        issues=[issue(1, old), issue(2), issue(3, old, pull_request={"url": "x"})],
        read_at=BEGAN,
        comments=[comment(1, 1, old), comment(2, 1)],
        events=[(1, {"id": 1, "created_at": old}), (1, {"id": 2, "created_at": "2020-02-01T12:00:00Z"})],
    )
    assert store.older_than(datetime(2020, 2, 1, 12, tzinfo=UTC)) == 3


def test_gaps_are_found(store: BackfillStore) -> None:
    """An issue lacks comments if GitHub counts more, and events if it is older than the oldest one read."""
    store.save(
        issues=[issue(1, comments=2), issue(2, comments=1, created_at="2026-01-06T12:00:00Z"), issue(3)],
        read_at=BEGAN,
        comments=[comment(1, 1), comment(2, 2), comment(3, 9)],
    )
    assert store.gaps("2026-01-05T12:00:00Z") == [
        Gap(number=1, comments=True, events=True),
        Gap(number=3, comments=False, events=True),
    ]
    assert store.gaps("") == [Gap(number=1, comments=True, events=False)]
    assert store.unlisted(BEGAN) == [9]
    assert store.unlisted(datetime(2026, 1, 5, 12, tzinfo=UTC)) == []
