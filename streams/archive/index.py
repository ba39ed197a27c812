"""What the archive holds: files, predictions by keyed hash of their id, positions seen, and how far telemetry was read.

One SQLite database. A file, what it adds to the index, and the offsets behind it become true in one transaction, so a
crash neither loses nor doubles a row. No prediction id stands in it.
"""

import hmac
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.archive.held import HeldWindow
from schemas.errors import HeadgateError
from streams.archive.sealed import subkey
from streams.clock import now_ms

_SCHEMA = """
create table if not exists files (
    id integer primary key, digest text not null, kind text not null, model text not null, day text not null,
    rows integer not null, bytes integer not null, first_at integer not null, last_at integer not null,
    expired_at integer
);
create table if not exists rows (hash blob not null, file integer not null, row integer not null);
create index if not exists rows_by_hash on rows (hash);
create index if not exists rows_by_file on rows (file);
create table if not exists marks (
    model text not null, source text not null, position integer not null, at integer not null,
    primary key (model, source)
) without rowid;
create table if not exists offsets (
    topic text not null, partition integer not null, next integer not null, primary key (topic, partition)
) without rowid;
create table if not exists counters (name text primary key, value integer not null) without rowid;
"""

_FOUND = ("digest", "kind", "model", "day", "row", "first_at", "expired_at")
# Evidence is held until a person deletes it; what a case holds, until its hold is released.
_OLD = (
    "last_at < ? and expired_at is null and kind not like 'evidence/%' and not exists (select 1 from held where"
    " held.model = files.model and files.last_at >= held.since and files.first_at <= held.until)"
)


class NoArchiveError(HeadgateError):
    """There is no archive on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A sealed file that is on the disk, and the ids of its rows in order (None where a row has none)."""

    digest: str
    kind: str
    model: str
    day: str
    size: int
    first_at: int
    last_at: int
    ids: Sequence[str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where a prediction is kept; `expired_at` says when it was deleted (ms)."""

    digest: str
    kind: str
    model: str
    day: str
    row: int
    first_at: int
    expired_at: int | None


class ArchiveIndex:
    """The index of one archive directory; one writer, any number of readers.

    Parameters
    ----------
    directory
        The archive's directory.
    key
        The archive's key.
    """

    def __init__(self, directory: Path, key: bytes, *, write: bool = False) -> None:
        self._key = subkey(key, "index")
        path = directory / "index.sqlite"
        if not write and not path.exists():
            raise NoArchiveError(f"there is no archive in {directory}; `headgate run archive` begins one")
        if write:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._database = sqlite3.connect(path, timeout=30, isolation_level=None)
            if write:
                self._database.execute("pragma journal_mode=wal")
                self._database.execute("pragma synchronous=full")
                self._database.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise HeadgateError(f"{path} cannot be used: {error}") from None

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def hash(self, identifier: str) -> bytes:
        """Return what stands for a prediction id in the index."""
        return hmac.digest(self._key, identifier.encode("utf-8", "surrogatepass"), "sha256")[:16]

    def add(
        self,
        files: Iterable[NewFile],
        marks: Iterable[tuple[str, str, int]],
        offsets: Iterable[tuple[str, int, int]],
        counted: dict[str, int],
    ) -> None:
        """Make files, positions, offsets and counters true, all or none."""
        now = now_ms()
        with self._database:
            self._database.execute("begin immediate")
            for file in files:
                row = (file.digest, file.kind, file.model, file.day, len(file.ids), file.size)
                made = self._database.execute(
                    "insert into files (digest, kind, model, day, rows, bytes, first_at, last_at)"
                    " values (?, ?, ?, ?, ?, ?, ?, ?)",
                    (*row, file.first_at, file.last_at),
                )
                self._database.executemany(
                    "insert into rows values (?, ?, ?)",
                    [(self.hash(i), made.lastrowid, n) for n, i in enumerate(file.ids) if i is not None],
                )
            self._database.executemany(
                "insert into marks values (?, ?, ?, ?) on conflict do update set position = excluded.position,"
                " at = excluded.at",
                [(*mark, now) for mark in marks],
            )
            self._database.executemany(
                "insert into offsets values (?, ?, ?) on conflict do update set next = excluded.next", offsets
            )
            self._database.executemany(
                "insert into counters values (?, ?) on conflict do update set value = value + excluded.value",
                counted.items(),
            )

    def mark(self, model: str, source: str) -> int:
        """Return the highest position seen of a source of a model, -1 where there is none."""
        found = self._one("select position from marks where model = ? and source = ?", (model, source))
        return -1 if found is None else int(found)

    def offset(self, topic: str, partition: int) -> int | None:
        """Return the offset from which a partition is to be read on; `topic` names it with its id."""
        found = self._one("select next from offsets where topic = ? and partition = ?", (topic, partition))
        return None if found is None else int(found)

    def holds(self, identifier: str) -> bool:
        """Whether a prediction of this id is kept."""
        return self._one("select 1 from rows where hash = ? limit 1", (self.hash(identifier),)) is not None

    def find(self, identifier: str) -> list[Found]:
        """Return where the rows of a prediction id are, in the order in which they came."""
        query = (
            "select digest, kind, model, day, row, first_at, expired_at from rows join files on files.id = rows.file"
            " where hash = ? order by files.id, row"
        )
        with closing(self._database.execute(query, (self.hash(identifier),))) as found:
            return [Found(**dict(zip(_FOUND, row, strict=True))) for row in found]

    def files(self, model: str, since: int, until: int, most: int = 50) -> list[Found]:
        """Return the files with rows of a model that came in a span of time (ms), the earliest first."""
        query = (
            "select digest, kind, model, day, 0, first_at, expired_at from files where kind = 'rows' and model = ?"
            " and last_at >= ? and first_at <= ? and expired_at is null order by first_at limit ?"
        )
        with closing(self._database.execute(query, (model, since, until, most))) as found:
            return [Found(**dict(zip(_FOUND, row, strict=True))) for row in found]

    def expire(self, before: int, forget_before: int, held: Sequence[HeldWindow] = ()) -> list[tuple[str, str, str]]:
        """Mark the files whose last row came before a time (ms) as deleted; return model, day and digest of each.

        Files with rows in a held window stay. Files that expired before `forget_before` leave the index altogether,
        and with them the hashes of their ids.
        """
        now = now_ms()
        with self._database:
            self._database.execute("begin immediate")
            self._database.execute("create temp table if not exists held (model text, since integer, until integer)")
            self._database.execute("delete from held")
            self._database.executemany(
                "insert into held values (?, ?, ?)", [(each.model, each.since, each.until) for each in held]
            )
            gone = self._database.execute(
                f"select model, day, digest from files where {_OLD}",  # noqa: S608 - a constant
                (before,),
            ).fetchall()
            self._database.execute(
                f"update files set expired_at = ? where {_OLD}",  # noqa: S608 - a constant
                (now, before),
            )
            old = "(select id from files where expired_at < ?)"
            self._database.execute(f"delete from rows where file in {old}", (forget_before,))  # noqa: S608 - a constant
            self._database.execute("delete from files where expired_at < ?", (forget_before,))
            self._database.execute("delete from marks where at < ?", (before,))
        return gone

    def known(self) -> set[str]:
        """Return the digests of all files that are kept."""
        return {row[0] for row in self._database.execute("select digest from files where expired_at is null")}

    def summary(self) -> dict[str, Any]:
        """Return what is kept, by model, and the counters."""
        models = [
            {
                "model": model,
                "kind": kind,
                "files": files,
                "rows": rows,
                "bytes": size,
                "first_at": first,
                "last_at": last,
            }
            for model, kind, files, rows, size, first, last in self._database.execute(
                "select model, kind, count(*), sum(rows), sum(bytes), min(first_at), max(last_at) from files"
                " where expired_at is null group by model, kind order by model, kind"
            )
        ]
        counters = dict(self._database.execute("select name, value from counters order by name").fetchall())
        expired = self._one("select count(*) from files where expired_at is not null", ())
        offsets = [
            {"topic": topic.partition("/")[0], "partition": partition, "next": after}
            for topic, partition, after in self._database.execute("select * from offsets order by topic, partition")
        ]
        return {"models": models, "counters": counters, "expired_files": expired, "offsets": offsets}

    def _one(self, query: str, given: tuple[Any, ...]) -> Any:
        with closing(self._database.execute(query, given)) as found:
            row = found.fetchone()
        return None if row is None else row[0]
