"""The evidence role: freezes the predictions that an incident rests on, and has their digest put into the ledger.

When a case opens, the rows of each affected version in the windows of its signals are read from telemetry; the most
relevant and a sample are kept, encrypted, with a manifest that names each file by digest. The manifest's own digest is
what the ledger records, so nothing of it can be changed unseen.
"""

import json
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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
from schemas.events import CaseOpened
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
_LOG = structlog.get_logger("evidence")
_MAX_VERSIONS = 8
_AGAIN_MS = 30_000


class EvidenceFreezer:
    """Freezes the evidence of each case that has none yet; a thread reads and writes meanwhile."""

    name = "evidence"

    def __init__(self, settings: Settings, identity: Identity) -> None:
        self.identity: Identity | None = identity
        self._settings = settings
        self._clients = Clients(settings)
        self._topic = full_name(settings.ledger, "telemetry")
        self._key = archive_key(settings.keys_directory)
        self._store = evidence_store(settings, self._key)
        self._opened: dict[str, tuple[Evidence, ...]] = {}
        self._work: dict[str, Future[AttachEvidence]] = {}
        self._not_before: dict[str, int] = {}
        self._thread = ThreadPoolExecutor(1, "evidence")

    def take(self, verified: Sequence[Verified], state: LedgerState) -> None:
        """Remember what each case rests on."""
        del state
        for found in verified:
            for event in found.events:
                if isinstance(event, CaseOpened) and event.evidence:
                    self._opened[event.incident] = event.evidence

    def proposals(self, state: LedgerState, now: int) -> list[object]:
        """Return the words on evidence that is frozen, and begin with what is not."""
        done: list[object] = []
        for incident, evidence in list(self._opened.items()):
            case = state.cases.get(incident)
            if case is None or any(kept.kind == KIND for kept in case.evidence):
                self._opened.pop(incident)
                self._work.pop(incident, None)
                continue
            work = self._work.get(incident)
            if work is None:
                if now >= self._not_before.get(incident, 0):
                    limit = state.control.policies[case.policy].archive.evidence_rows
                    self._work[incident] = self._thread.submit(self._freeze, incident, evidence, limit, now)
            elif work.done():
                try:
                    done.append(work.result())
                except (HeadgateError, OSError) as error:
                    _LOG.warning("evidence could not be frozen; tried again", incident=incident, reason=str(error))
                    self._work.pop(incident)
                    self._not_before[incident] = now + _AGAIN_MS
        return done

    def _freeze(self, incident: str, evidence: tuple[Evidence, ...], limit: int, now: int) -> AttachEvidence:
        def whose(item: Evidence) -> tuple[str, str]:
            return item.model, item.version

        grouped = groupby(sorted(evidence, key=whose), whose)
        each = [list(items) for _, items in grouped][:_MAX_VERSIONS]
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
        return AttachEvidence(incident=incident, kind=KIND, digest=digest, rows=kept, summary=summary)

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
