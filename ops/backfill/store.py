"""What a backfill has read and how far it has come, in one SQLite file: a kill at any moment leaves it whole.

A repository's comments and events come as lists of their own, sorted by time and not by issue; on disk they
are put together without holding all of them in memory. The file holds the text of issues: only its owner may
read it.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from clients.github.issue_history import IssueHistory
from pipeline.errors import Unavailable

Json = Mapping[str, Any]

_TABLES = ("issue", "comment", "event", "note")
_NO_NOTES: Mapping[str, Any] = {}
_SCHEMA = """
CREATE TABLE IF NOT EXISTS issue (
  number INTEGER PRIMARY KEY, created_at TEXT NOT NULL, read_at TEXT NOT NULL, comments INTEGER NOT NULL,
  raw TEXT  -- null for a pull request
);
CREATE TABLE IF NOT EXISTS comment (id INTEGER PRIMARY KEY, number INTEGER NOT NULL, raw TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY, number INTEGER NOT NULL, raw TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS comment_of ON comment (number);
CREATE INDEX IF NOT EXISTS event_of ON event (number);
"""


class Spool:
    """One backfill's file. Raises Unavailable when another process has it, or when it is damaged."""

    def __init__(self, path: Path, *, restart: bool) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            try:
                self._open(restart=restart)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError) or not restart:
                    raise
                path.write_bytes(b"")  # damaged, and not wanted
                self._open(restart=False)
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise Unavailable(
                    "backfill_running", "another backfill of this repository is running."
                ) from error
            raise Unavailable(
                "spool_damaged", f"{path} cannot be used ({error}); --restart begins anew."
            ) from error
        except OSError as error:
            raise Unavailable("spool_unusable", f"{path} cannot be written: {error.strerror}.") from error

    def _open(self, *, restart: bool) -> None:
        self._db = sqlite3.connect(self._path, timeout=0.2)
        try:
            self._prepare(restart=restart)
        except sqlite3.DatabaseError:
            self._db.close()
            raise

    def _prepare(self, *, restart: bool) -> None:
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("BEGIN EXCLUSIVE")  # kept until the file is closed
        if restart:
            for table in _TABLES:
                self._db.execute(f"DROP TABLE IF EXISTS {table}")
        self._db.commit()
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file; all that was noted is in it."""
        self._db.close()

    def remove(self) -> None:
        """Close and delete the file: the work is done, and what is not kept cannot leak."""
        self._path.unlink(missing_ok=True)
        self._db.close()
        for side in ("-journal", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                self._path.with_name(self._path.name + side).unlink()

    def note(self, name: str) -> Any:
        """Return what was noted under this name; None when nothing was."""
        row = self._db.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def save(
        self,
        *,
        issues: Sequence[Json] = (),
        read_at: datetime | None = None,
        comments: Sequence[Json] = (),
        events: Sequence[tuple[int, Json]] = (),
        notes: Mapping[str, Any] = _NO_NOTES,
    ) -> None:
        """Keep all of this or, if the process dies, nothing of it; what is there already is replaced.

        Of pull requests only the number is kept. `events` come with the number of their issue.
        """
        moment = "" if read_at is None else read_at.isoformat()
        with self._db:
            self._db.executemany(
                "INSERT OR REPLACE INTO issue VALUES (?, ?, ?, ?, ?)",
                [
                    (
                        issue["number"],
                        issue["created_at"],
                        moment,
                        issue.get("comments") or 0,
                        None if issue.get("pull_request") else json.dumps(issue),
                    )
                    for issue in issues
                ],
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO comment VALUES (?, ?, ?)",
                [(raw["id"], _number_of(raw), json.dumps(raw)) for raw in comments],
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO event VALUES (?, ?, ?)",
                [(raw["id"], number, json.dumps(raw)) for number, raw in events],
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO note VALUES (?, ?)",
                [(name, json.dumps(value)) for name, value in notes.items()],
            )

    def count(self, table: str, where: str = "TRUE") -> int:
        """Return the number of rows of a table of the schema above."""
        [number] = self._db.execute(f"SELECT COUNT(*) FROM {table} WHERE {where}").fetchone()  # noqa: S608 - ours
        return int(number)

    def older(self, than: str) -> int:
        """Return the number of issues, comments and events before this time."""
        return self.count("issue", f"raw IS NOT NULL AND created_at < '{than}'") + sum(
            self.count(table, f"raw ->> 'created_at' < '{than}'") for table in ("comment", "event")
        )

    def gaps(self, events_from: str) -> list[tuple[int, bool, bool]]:
        """Return (issue's number, are comments missing, are events missing) where the lists fell short.

        Events are missing when the list of events began after the issue did, comments when GitHub counts
        more.
        """
        rows = self._db.execute(
            """
            SELECT
              number,
              comments > (SELECT COUNT(*) FROM comment WHERE comment.number = issue.number) AS short,
              created_at <= ? AS early
            FROM issue WHERE raw IS NOT NULL AND (short OR early) ORDER BY number
            """,
            (events_from,),
        )
        return [(number, bool(short), bool(early)) for number, short, early in rows]

    def unknown(self, before: str) -> list[int]:
        """Return the numbers that comments made before this time name and that the list of issues lacked."""
        rows = self._db.execute(
            """
            SELECT DISTINCT number FROM comment
            WHERE number NOT IN (SELECT number FROM issue) AND raw ->> 'created_at' < ? ORDER BY number
            """,
            (before,),
        )
        return [number for (number,) in rows]

    def pasts(self, after: int) -> Iterator[tuple[int, IssueHistory]]:
        """Yield the issues with a higher number, in order, one in memory at a time."""
        while True:
            row = self._db.execute(
                "SELECT number, raw, read_at FROM issue"
                " WHERE number > ? AND raw IS NOT NULL ORDER BY number LIMIT 1",
                (after,),
            ).fetchone()
            if row is None:
                return
            after, raw, read_at = row
            past = IssueHistory(
                issue=json.loads(raw),
                comments=self._of("comment", after),
                events=self._of("event", after),
                read_at=datetime.fromisoformat(read_at),
            )
            yield after, past

    def _of(self, table: str, number: int) -> list[Json]:
        rows = self._db.execute(f"SELECT raw FROM {table} WHERE number = ?", (number,))  # noqa: S608 - ours
        return [json.loads(raw) for (raw,) in rows]


def _number_of(comment: Json) -> int:
    """Return the issue's number, which a comment names only as the end of its issue's URL."""
    return int(str(comment["issue_url"]).rsplit("/", maxsplit=1)[-1])
