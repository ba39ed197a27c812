"""Verification of a ledger, exported or in Kafka: every hash, every signature, every decision made again."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agents.ledger.fold import Trust, Verified
from schemas.avro import decode, fingerprint
from schemas.catalogue import CATALOGUE
from schemas.errors import HeadgateError, KeyRefusedError, LedgerError
from schemas.ledger import Command
from schemas.note import MAX_NOTE
from streams.ledger.exported import Contents, Folder, schema_file
from streams.ledger.source import Reading, Source

_MAX_VOIDS = 1000
_STEP = 256

Take = Callable[[list[Verified]], None]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a verification found.

    consistent
        Nothing is wrong with what was read. `verified` says more: it is also the ledger that was trusted beforehand.
    entries, root
        Of what is proven, all of it where nothing is wrong.
    first_bad_index
        Every entry before it is proven. Where all are, and another file of an export was changed, the first entry that
        the file speaks of, or the last of all.
    complete_since
        Size of the older checkpoint that the ledger was found to extend; None where that was not asked, or not proven.
    voids
        Index and reason of leaves that count for nothing, a thousand at most.
    unfinished
        Leaves in Kafka that no checkpoint covers yet.
    """

    consistent: bool
    entries: int
    root: str
    genesis: str
    origin: str
    first_bad_index: int | None
    error: str | None
    identity_checked: bool
    complete_since: int | None
    voids: tuple[tuple[int, str], ...]
    checkpoints: int
    events: Mapping[str, int] = field(default_factory=dict)
    outcomes: Mapping[str, int] = field(default_factory=dict)
    unfinished: int = 0
    seconds: float = 0.0

    @property
    def verified(self) -> bool:
        """Whether the ledger is consistent, and the one that is trusted."""
        return self.consistent and self.identity_checked

    def sentence(self) -> str:
        """Return the finding, and no more than was found."""
        if not self.consistent:
            proven = f"entries 0 to {self.entries - 1} are proven" if self.entries else "no entry is proven"
            return f"NOT VERIFIED, first bad index {self.first_bad_index}: {self.error} ({proven})"
        if not self.identity_checked:
            return f"consistent under genesis {self.genesis}; identity and completeness not checked"
        if self.complete_since is None:
            return f"verified under genesis {self.genesis}; completeness not checked"
        return f"verified and complete since size {self.complete_since}"

    def document(self) -> dict[str, object]:
        """Return the report for programs."""
        return {
            "verified": self.verified,
            "consistent": self.consistent,
            "entries": self.entries,
            "root": self.root,
            "genesis": self.genesis,
            "origin": self.origin,
            "first_bad_index": self.first_bad_index,
            "error": self.error,
            "identity_checked": self.identity_checked,
            "complete_since": self.complete_since,
            "voids": [{"index": index, "why": why} for index, why in self.voids],
            "checkpoints": self.checkpoints,
            "events": dict(self.events),
            "outcomes": dict(self.outcomes),
            "unfinished": self.unfinished,
            "seconds": round(self.seconds, 3),
        }


class Verification:
    """One verification: `run` reads the ledger, LedgerError where it is broken; `report` tells in any case."""

    def __init__(self, source: Source, trust: Trust | None) -> None:
        self._source, self._trust = source, trust
        self._reading = Reading(source, trust)
        self._events: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._voids: list[tuple[int, str]] = []
        self._schemas: dict[str, int] = {}
        self._texts: dict[str, bytes] = {}
        self._seen: set[tuple[str, bytes]] = set()
        self._started = time.monotonic()

    def run(self, take: Take | None = None, progress: Progress | None = None) -> None:
        """Read leaves and checkpoints to their ends; `take` gets the entries that are proven, in order."""
        batch: list[Verified] = []
        size = self._source.size
        try:
            for verified in self._reading:
                self._count(verified)
                batch.append(verified)
                if len(batch) == _STEP:
                    _hand_over(batch, take)
                    if progress is not None:
                        progress(verified.index + 1, size)
        finally:
            _hand_over(batch, take)

    def check_since(self, note: bytes) -> int:
        """Return the size of a checkpoint that was kept; LedgerError unless the ledger extends it."""
        fold = self._reading.fold
        try:
            kept = fold.open_checkpoint(note)
        except (KeyRefusedError, LedgerError) as error:
            raise LedgerError(f"the checkpoint that was kept is not of this ledger: {error}", 0) from error
        if kept.size > fold.size:
            raise LedgerError(
                f"the ledger has {fold.size} entries, and the checkpoint that was kept covers {kept.size}: it was cut",
                fold.size,
            )
        self._reading.check({kept.size: kept.root}, "the ledger is not the one whose checkpoint was kept")
        return kept.size

    def contents(self) -> Contents:
        """Return what the entries say that the rest of an export follows from."""
        reading = self._reading
        return Contents(
            origin=reading.origin,
            genesis=reading.genesis,
            size=reading.fold.size,
            checkpoint=reading.newest,
            schemas=self._schemas,
            texts=self._texts,
        )

    def report(self, broken: LedgerError | None = None, complete_since: int | None = None) -> Report:
        """Tell what was found; `broken` is what `run` or a later check raised."""
        reading = self._reading
        proven = reading.fold.size
        return Report(
            consistent=broken is None,
            entries=proven,
            root=reading.root.hex(),
            genesis=reading.genesis,
            origin=reading.origin,
            first_bad_index=None if broken is None else broken.index or 0,
            error=None if broken is None else str(broken),
            identity_checked=self._trust is not None and proven > 0,
            complete_since=complete_since if self._trust is not None and broken is None else None,
            voids=tuple(self._voids),
            checkpoints=reading.checkpoints,
            events=dict(sorted(self._events.items())),
            outcomes=dict(self._outcomes),
            unfinished=0 if self._source.strict else max(self._source.size - proven, 0),
            seconds=time.monotonic() - self._started,
        )

    def _count(self, verified: Verified) -> None:
        entry = verified.entry
        if entry is None:
            self._outcomes["void"] += 1
            if len(self._voids) < _MAX_VOIDS:
                self._voids.append((verified.index, verified.void))
            return
        self._outcomes[entry.outcome] += 1
        command = decode(Command, entry.command)
        self._uses("AuditEntry", verified.leaf[1:5], verified.index)
        self._uses("Command", fingerprint(Command), verified.index)
        self._uses(command.kind, command.fingerprint, verified.index)
        for event in entry.events:
            self._events[event.type] += 1
            self._uses(event.type, event.fingerprint, verified.index)

    def _uses(self, name: str, schema: bytes, index: int) -> None:
        """Note the first entry under a schema, which is named by its fingerprint (8 bytes) or its id (4 bytes)."""
        if (name, schema) in self._seen:
            return
        self._seen.add((name, schema))
        number = int.from_bytes(schema, "big") if len(schema) == 4 else CATALOGUE.id_of(name, schema)
        file, text = schema_file(number)
        self._schemas.setdefault(file, index)
        self._texts[file] = text


def _hand_over(batch: list[Verified], take: Take | None) -> None:
    if take is not None and batch:
        take(list(batch))
    batch.clear()


def verify(
    source: Source,
    *,
    trust: Trust | None = None,
    since: bytes | None = None,
    take: Take | None = None,
    progress: Progress | None = None,
) -> Report:
    """Verify a ledger and report; only what has nothing to do with the ledger (no broker) is raised."""
    verification = Verification(source, trust)
    complete_since = None
    try:
        verification.run(take, progress)
        source.finish(verification.contents())
        if since is not None:
            complete_since = verification.check_since(since)
    except LedgerError as error:
        return verification.report(error)
    return verification.report(complete_since=complete_since)


def verify_folder(
    folder: Path,
    *,
    trust: Trust | None = None,
    since: bytes | None = None,
    take: Take | None = None,
    progress: Progress | None = None,
) -> Report:
    """Verify an exported ledger, without a broker; LedgerError where there is no such folder."""
    return verify(Folder(folder), trust=trust, since=since, take=take, progress=progress)


def read_note(path: Path) -> bytes:
    """Read a checkpoint that was kept; HeadgateError where the file cannot be one."""
    try:
        with path.open("rb") as file:
            note = file.read(MAX_NOTE + 1)
    except OSError as error:
        raise HeadgateError(f"{path} cannot be read: {error.strerror}") from None
    if not 0 < len(note) <= MAX_NOTE:
        raise HeadgateError(f"{path} is no checkpoint; keep the file `checkpoint` of an export")
    return note
