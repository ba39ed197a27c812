"""The evidence role: freezes the predictions that an incident rests on, and has their digest put into the ledger.

When a case opens, the rows of each affected version in the windows of its signals are read from telemetry; when it
grows, those of each version that joins it. The most relevant and a sample are kept, encrypted, with a manifest that
names each file by digest. The manifest's own digest is what the ledger records, so nothing of it can be changed unseen.
"""

import json
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import numpy as np
import structlog

from agents.archive.choose import INCIDENT, RELEVANT
from agents.archive.relevance import most_relevant, usual
from agents.ledger.fold import Verified
from agents.ledger.state import LedgerState
from schemas.commands import AttachEvidence
from schemas.errors import HeadgateError
from schemas.events import CaseGrew, CaseOpened
from schemas.signals import Evidence
from schemas.topics import full_name
from streams.archive import parquet
from streams.archive.index import ArchiveIndex, NewFile
from streams.archive.parquet import Kept
from streams.archive.store import SealedStore
from streams.archive.window import Window, read_window
from streams.kafka import Clients
from streams.ledger.keyring import Identity, archive_key
from streams.settings import Settings

KIND = "window"
"""The kind of what is frozen as a case opens; as it grows, the number of the growth follows."""

_LOG = structlog.get_logger("evidence")
_MAX_VERSIONS = 8
_AGAIN_MS = 30_000

_Version = tuple[str, str]
_Piece = tuple[str, str]


class EvidenceFreezer:
    """Freezes the evidence of each version of a case that has none yet; a thread reads and writes meanwhile."""

    name = "evidence"

    def __init__(self, settings: Settings, identity: Identity) -> None:
        self.identity: Identity | None = identity
        self._settings = settings
        self._clients = Clients(settings)
        self._topic = full_name(settings.ledger, "telemetry")
        self._key = archive_key(settings.keys_directory)
        self._store = evidence_store(settings, self._key)
        self._versions: dict[str, dict[_Version, None]] = {}
        self._wanted: dict[_Piece, tuple[Evidence, ...]] = {}
        self._work: dict[_Piece, Future[AttachEvidence]] = {}
        self._not_before: dict[_Piece, int] = {}
        self._thread = ThreadPoolExecutor(1, "evidence")

    def take(self, verified: Sequence[Verified], state: LedgerState) -> None:
        """Remember what each case rests on."""
        del state
        for found in verified:
            for event in found.events:
                if isinstance(event, CaseOpened):
                    self._want((event.incident, KIND), event.evidence)
                elif isinstance(event, CaseGrew):
                    # What a version took over from the one before it speaks of windows in which it made no prediction.
                    at = 0 if found.entry is None else found.entry.at
                    until = [replace(item, window_to=max(item.window_to, at)) for item in event.evidence]
                    self._want((event.incident, f"{KIND}-{event.sequence}"), until)

    def proposals(self, state: LedgerState, now: int) -> list[object]:
        """Return the words on evidence that is frozen, and begin with what is not."""
        done: list[object] = []
        for piece, evidence in list(self._wanted.items()):
            incident, kind = piece
            case = state.cases.get(incident)
            if case is None or any(kept.kind == kind for kept in case.evidence):
                self._wanted.pop(piece)
                self._work.pop(piece, None)
                continue
            work = self._work.get(piece)
            if work is None:
                if now >= self._not_before.get(piece, 0):
                    limit = state.control.policies[case.policy].archive.evidence_rows
                    self._work[piece] = self._thread.submit(self._freeze, piece, evidence, limit, now)
            elif work.done():
                try:
                    done.append(work.result())
                except (HeadgateError, OSError) as error:
                    _LOG.warning("evidence could not be frozen; tried again", incident=incident, reason=str(error))
                    self._work.pop(piece)
                    self._not_before[piece] = now + _AGAIN_MS
        return done

    def _want(self, piece: _Piece, evidence: Sequence[Evidence]) -> None:
        """Note what is to be frozen: what speaks of versions of which nothing is; a case's first 8."""
        known = self._versions.setdefault(piece[0], {})
        fresh = [version for version in dict.fromkeys(map(_whose, evidence)) if version not in known]
        fresh = fresh[: _MAX_VERSIONS - len(known)]
        if fresh:
            known.update(dict.fromkeys(fresh))
            self._wanted[piece] = tuple(item for item in evidence if _whose(item) in fresh)

    def _freeze(self, piece: _Piece, evidence: tuple[Evidence, ...], limit: int, now: int) -> AttachEvidence:
        incident, kind = piece
        each = [list(items) for _, items in groupby(sorted(evidence, key=_whose), _whose)]
        files: list[NewFile] = []
        windows: list[dict[str, Any]] = []
        for items in each:
            window = read_window(self._clients, self._topic, items)
            made = self._keep(incident, window, items, max(limit // len(each), 1))
            files += made
            windows.append(_described(window, items, made))
        kept = sum(len(file.ids) for file in files)
        manifest = {
            "incident": incident,
            "frozen_at": now,
            "ledger": self._settings.ledger,
            "rows": kept,
            "windows": windows,
        }
        digest = self._store.put(json.dumps(manifest, sort_keys=True, ensure_ascii=False).encode(), incident)
        index = ArchiveIndex(self._settings.archive_directory, self._key, write=True)
        try:
            index.add(files, [], [], {"evidence": kept})
        finally:
            index.close()
        _LOG.info("evidence frozen", incident=incident, rows=kept, digest=digest)
        seen = sum(window["rows_seen"] for window in windows)
        complete = all(window["complete"] for window in windows)
        summary = f"{kept} of {seen} predictions in the windows of {len(evidence)} signals" + (
            "" if complete else "; not all of telemetry could be read"
        )
        return AttachEvidence(incident=incident, kind=kind, digest=digest, rows=kept, summary=summary)

    def _keep(self, incident: str, window: Window, evidence: list[Evidence], limit: int) -> list[NewFile]:
        if not window.rows:
            return []
        before = window.before or [rows for rows, _ in window.rows]
        subjects = {item.subject: usual(before, item.subject) for item in evidence if item.subject}
        chosen = most_relevant([rows for rows, _ in window.rows], subjects, limit)
        parts: dict[parquet.Signature, list[Kept]] = {}
        for (rows, at), why in zip(window.rows, chosen, strict=True):
            if why.any():
                bits = np.where(why == 1, RELEVANT, INCIDENT)[why > 0].astype(np.uint8)
                part = Kept(rows.where(why > 0), bits, at)
                parts.setdefault(parquet.signature(part.rows), []).append(part)
        return [self._put(incident, window.model, group) for group in parts.values()]

    def _put(self, incident: str, model: str, parts: list[Kept]) -> NewFile:
        data = parquet.write(parts)
        at = [part.received_at for part in parts]
        day = datetime.fromtimestamp(min(at) / 1000, UTC).date().isoformat()
        return NewFile(
            digest=self._store.put(data, incident),
            kind=f"evidence/{incident}",
            model=model,
            day=day,
            size=len(data),
            first_at=min(at),
            last_at=max(at),
            ids=parquet.ids(parts),
        )


def _whose(item: Evidence) -> _Version:
    return item.model, item.version


def _described(window: Window, evidence: list[Evidence], files: list[NewFile]) -> dict[str, Any]:
    return {
        "model": window.model,
        "version": window.version,
        "from": window.first,
        "to": window.last,
        "signals": [item.signal for item in evidence],
        "subjects": sorted({item.subject for item in evidence}),
        "rows_seen": window.seen,
        "complete": window.complete,
        "files": [{"digest": file.digest, "rows": len(file.ids), "bytes": file.size} for file in files],
    }


def evidence_store(settings: Settings, key: bytes) -> SealedStore:
    """Return the store in which every incident has a folder by its id."""
    return SealedStore(settings.archive_directory / "evidence", key)
