"""The lineage role: when an incident opens, the registry is asked where the affected versions come from."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import structlog

from agents.ledger.fold import Verified
from agents.ledger.state import LedgerState
from agents.roles.lineage import Asked, report, summary, wanted
from schemas.commands import AttachEvidence
from schemas.errors import EffectError, HeadgateError
from schemas.evidence import LINEAGE
from streams.documents import file
from streams.kafka import Clients
from streams.ledger.keyring import Identity
from streams.settings import Settings

_LOG = structlog.get_logger("lineage")
_AGAIN_MS = 10_000
_PATIENCE_MS = 120_000
"""So long after an incident opened, a registry that does not answer is asked again; then the lineage is unknown."""


class LineageRole:
    """Attaches the lineage of each open case's versions; a thread reads the registry meanwhile."""

    name = "lineage"

    def __init__(self, settings: Settings, identity: Identity) -> None:
        self.identity: Identity | None = identity
        self._settings = settings
        self._clients = Clients(settings)
        self._work: dict[str, Future[AttachEvidence]] = {}
        self._not_before: dict[str, int] = {}
        self._thread = ThreadPoolExecutor(1, "lineage")

    def take(self, verified: Sequence[Verified], state: LedgerState) -> None:
        """Keep nothing: the state says all."""

    def proposals(self, state: LedgerState, now: int) -> list[object]:
        """Return the lineages that were read, and begin with those that were not."""
        done: list[object] = []
        for incident in sorted(state.active):
            case = state.cases[incident]
            asked = wanted(case, state.control.systems)
            work = self._work.get(incident)
            if not asked:
                self._forget(incident)
            elif work is None:
                if now >= self._not_before.get(incident, 0):
                    last = now >= case.opened_at + _PATIENCE_MS
                    self._work[incident] = self._thread.submit(self._read, incident, asked, last=last)
            elif work.done():
                try:
                    done.append(work.result())
                except (HeadgateError, OSError) as error:
                    _LOG.warning("the registry could not be read; asked again", incident=incident, reason=str(error))
                    self._work.pop(incident)
                    self._not_before[incident] = now + _AGAIN_MS
        for over in self._work.keys() - state.active:
            self._forget(over)
        return done

    def _forget(self, incident: str) -> None:
        self._work.pop(incident, None)
        self._not_before.pop(incident, None)

    def _read(self, incident: str, asked: Sequence[Asked], *, last: bool) -> AttachEvidence:
        """Return the evidence; EffectError where the registry does not answer, and may still do so."""
        versions = self._versions(asked, last=last)
        digest = file(self._clients, self._settings.ledger, report(incident, versions))
        said = summary([one for one in versions if not one["known_good"]])
        _LOG.info("lineage read", incident=incident, digest=digest)
        return AttachEvidence(incident=incident, kind=LINEAGE, digest=digest, rows=len(asked), summary=said)

    def _versions(self, asked: Sequence[Asked], *, last: bool) -> list[dict[str, Any]]:
        if self._settings.mlflow_uri is None:
            return [_unknown(one, one.version, "no model registry is configured") for one in asked]
        from streams.targets.mlflow_lineage import LineageReader

        try:
            reader = LineageReader(self._settings.mlflow_uri)
        except EffectError as error:
            if error.retryable and not last:
                raise
            return [_unknown(one, one.version, str(error)) for one in asked]
        found = [_of(reader, one, one.version, last=last) for one in asked]
        good = {(one.registered, one.good): one for one in asked if one.good and one.good != one.version}
        return found + [_of(reader, one, one.good, last=last) for one in good.values()]


def _of(reader: Any, one: Asked, version: str, *, last: bool) -> dict[str, Any]:
    try:
        known = reader.read(one.registered, version)
    except EffectError as error:
        if error.retryable and not last:
            raise
        return _unknown(one, version, str(error))
    return {"model": one.model, "version": version, "known_good": version != one.version, **known}


def _unknown(one: Asked, version: str, why: str) -> dict[str, Any]:
    return {"model": one.model, "version": version, "known_good": version != one.version, "unknown": why[:300]}
