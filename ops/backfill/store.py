"""What a backfill has read, and its checkpoint, in one SQLite file that survives a kill at any moment.

A repository's comments and events come as lists sorted by time; the file joins them to their issues without
holding all of them in memory. It contains the text of issues, so only its owner may read it.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from clients.github.issue_history import IssueHistory
from ops.backfill.checkpoint import Checkpoint
from pipeline.delivery import format_time
from pipeline.errors import Unavailable

Json = Mapping[str, Any]

_TABLES = ("issue", "comment", "event", "checkpoint")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS issue (
  number INTEGER PRIMARY KEY, created_at TEXT NOT NULL, read_at TEXT NOT NULL, comments INTEGER NOT NULL,
  raw TEXT  -- null for a pull request
);
CREATE TABLE IF NOT EXISTS comment (id INTEGER PRIMARY KEY, number INTEGER NOT NULL, raw TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY, number INTEGER NOT NULL, raw TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS checkpoint (value TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS comment_of ON comment (number);
CREATE INDEX IF NOT EXISTS event_of ON event (number);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """An issue of which the lists have not given all comments or all events."""

    number: int
    comments: bool
    events: bool


class BackfillStore:
    """One backfill's file; without a checkpoint the run has not begun, or is finished, and the file is empty.

    Raises Unavailable if another process has it open, or if it is damaged.
    """

    def __init__(self, path: Path, *, restart: bool) -> None:
        self._path = path
        self.checkpoint: Checkpoint | None = None
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
                "backfill_store_damaged", f"{path} cannot be used ({error}); use --restart to begin again."
            ) from error
        except OSError as error:
            raise Unavailable(
                "backfill_store_unusable", f"{path} cannot be written: {error.strerror}."
            ) from error

    def _open(self, *, restart: bool) -> None:
        self._db = sqlite3.connect(self._path, timeout=0.2)
        try:
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("BEGIN EXCLUSIVE")  # kept until the file is closed
            if not restart and self._count("SELECT COUNT(*) FROM sqlite_master WHERE name = 'checkpoint'"):
                for (text,) in self._db.execute("SELECT value FROM checkpoint"):
                    self.checkpoint = Checkpoint.from_json(text)
            if self.checkpoint is None:
                for table in _TABLES:
                    self._db.execute(f"DROP TABLE IF EXISTS {table}")
            self._db.commit()
            self._db.executescript(_SCHEMA)
        except sqlite3.DatabaseError:
            self._db.close()
            raise

    def finish(self) -> None:
        """Forget the checkpoint: there is nothing to resume."""
        with self._db:
            self._db.execute("DELETE FROM checkpoint")
        self.checkpoint = None

    def close(self) -> None:
        """Close the file; delete it unless a checkpoint is left to resume from."""
        if self.checkpoint is None:
            self._path.unlink(missing_ok=True)
        self._db.close()
        for side in ("-journal", "-wal", "-shm") if self.checkpoint is None else ():
            self._path.with_name(self._path.name + side).unlink(missing_ok=True)

    def save(
        self,
        checkpoint: Checkpoint | None = None,
        *,
        issues: Sequence[Json] = (),
        read_at: datetime | None = None,
        comments: Sequence[Json] = (),
        events: Sequence[tuple[int, Json]] = (),
    ) -> None:
        """Store all of this or, if the process dies, none of it; an object with a known id is replaced.

        Of pull requests only the number is stored. `events` come with the number of their issue; `read_at` is
        GitHub's time of reading the issues.
        """
        with self._db:
            self._db.executemany(
                "INSERT OR REPLACE INTO issue VALUES (?, ?, ?, ?, ?)",
                [
                    (
                        issue["number"],
                        issue["created_at"],
                        "" if read_at is None else read_at.isoformat(),
                        issue.get("comments") or 0,
                        None if issue.get("pull_request") else json.dumps(issue),
                    )
                    for issue in issues
                ],
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO comment VALUES (?, ?, ?)",
                # A comment gives its issue's number only as the end of the issue's URL.
                [
                    (raw["id"], int(str(raw["issue_url"]).rpartition("/")[2]), json.dumps(raw))
                    for raw in comments
                ],
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO event VALUES (?, ?, ?)",
                [(raw["id"], number, json.dumps(raw)) for number, raw in events],
            )
            if checkpoint is not None:
                self._db.execute("DELETE FROM checkpoint")
                self._db.execute("INSERT INTO checkpoint VALUES (?)", (checkpoint.to_json(),))
        self.checkpoint = checkpoint or self.checkpoint

    def issues(self, up_to: int | None = None) -> int:
        """Return the number of issues, of all or of those whose number is at most `up_to`."""
        return self._count(
            "SELECT COUNT(*) FROM issue WHERE raw IS NOT NULL AND number <= COALESCE(?, number)", up_to
        )

    def pull_requests(self) -> int:
        """Return the number of pull requests."""
        return self._count("SELECT COUNT(*) FROM issue WHERE raw IS NULL")

    def older_than(self, moment: datetime) -> int:
        """Return the number of issues, comments and events before `moment`."""
        return self._count(
            """
            SELECT COUNT(*) FROM (
              SELECT raw FROM issue UNION ALL SELECT raw FROM comment UNION ALL SELECT raw FROM event
            ) WHERE raw ->> 'created_at' < ?
            """,
            f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        )

    def gaps(self, events_from: str) -> list[Gap]:
        """Return the issues with missing comments or events, in the order of their numbers.

        Events are missing if the issue is older than `events_from`, the oldest event of the list; comments if
        GitHub counts more than were read.
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
        return [Gap(number=number, comments=bool(short), events=bool(early)) for number, short, early in rows]

    def unlisted(self, before: datetime) -> list[int]:
        """Return the issue numbers that comments from before this time name and the list of issues lacked."""
        rows = self._db.execute(
            """
            SELECT DISTINCT number FROM comment
            WHERE number NOT IN (SELECT number FROM issue) AND raw ->> 'created_at' < ? ORDER BY number
            """,
            (format_time(before),),
        )
        return [number for (number,) in rows]

    def histories(self, after: int) -> Iterator[tuple[int, IssueHistory]]:
        """Yield the issues with a higher number than `after`, in order, one in memory at a time."""
        issues = self._db.execute(
            "SELECT number, raw, read_at FROM issue WHERE number > ? AND raw IS NOT NULL ORDER BY number",
            (after,),
        )
        for number, raw, read_at in issues:
            comments, events = (
                [json.loads(text) for (text,) in self._db.execute(sql, (number,))]
                for sql in (
                    "SELECT raw FROM comment WHERE number = ?",
                    "SELECT raw FROM event WHERE number = ?",
                )
            )
            moment = datetime.fromisoformat(read_at)
            yield (
                number,
                IssueHistory(issue=json.loads(raw), comments=comments, events=events, read_at=moment),
            )

    def _count(self, sql: str, *values: int | str | None) -> int:
        [number] = self._db.execute(sql, values).fetchone()
        return int(number)
