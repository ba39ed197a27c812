"""The output-audit role: when an incident opens, its model's outputs are checked against the declared rules."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import groupby

import structlog

from agents.ledger.case import Case
from agents.ledger.fold import Verified
from agents.ledger.state import LedgerState
from agents.roles.output_audit import TOO_FEW, Audited, examine, report, summary
from schemas.commands import AttachEvidence
from schemas.errors import HeadgateError
from schemas.events import CaseOpened
from schemas.evidence import OUTPUT_AUDIT
from schemas.output_rules import OutputRule
from schemas.signals import Evidence
from schemas.systems import Systems
from schemas.topics import full_name
from streams.archive.window import read_window
from streams.documents import file
from streams.kafka import Clients
from streams.ledger.keyring import Identity
from streams.settings import Settings

_LOG = structlog.get_logger("output-audit")
_MAX_VERSIONS = 8
_AGAIN_MS = 30_000
_SOON_MS = 5_000
_PATIENCE_MS = 60_000
"""So long after an incident opened, more outputs are waited for where a rule has too few; then it says so."""

Rules = dict[tuple[str, str], tuple[OutputRule, ...]]


class OutputAudit:
    """Audits each case that has no audit yet and whose models declare rules; a thread reads meanwhile."""

    name = "output_audit"

    def __init__(self, settings: Settings, identity: Identity) -> None:
        self.identity: Identity | None = identity
        self._settings = settings
        self._clients = Clients(settings)
        self._opened: dict[str, tuple[Evidence, ...]] = {}
        self._work: dict[str, Future[AttachEvidence | None]] = {}
        self._not_before: dict[str, int] = {}
        self._thread = ThreadPoolExecutor(1, "output-audit")

    def take(self, verified: Sequence[Verified], state: LedgerState) -> None:
        """Remember what each case rests on."""
        del state
        for found in verified:
            for event in found.events:
                if isinstance(event, CaseOpened) and event.evidence:
                    self._opened[event.incident] = event.evidence

    def proposals(self, state: LedgerState, now: int) -> list[object]:
        """Return the audits that are done, and begin with those that are not."""
        done: list[object] = []
        control = state.control
        for incident, evidence in list(self._opened.items()):
            case, rules = state.cases.get(incident), declared(control.systems, evidence)
            if case is None or case.phase.over or not rules or _audited(case):
                self._opened.pop(incident)
                self._work.pop(incident, None)
                continue
            work = self._work.get(incident)
            if work is None:
                if now >= self._not_before.get(incident, 0):
                    until = tuple(replace(item, window_to=max(item.window_to, now)) for item in evidence)
                    last = now >= case.opened_at + _PATIENCE_MS
                    asked = (incident, until, rules, control.systems_digest)
                    self._work[incident] = self._thread.submit(self._audit, *asked, last=last)
            elif work.done():
                try:
                    found = work.result()
                except (HeadgateError, OSError) as error:
                    _LOG.warning("outputs could not be audited; tried again", incident=incident, reason=str(error))
                    self._put_off(incident, now + _AGAIN_MS)
                    continue
                if found is None:
                    self._put_off(incident, now + _SOON_MS)
                else:
                    done.append(found)
        return done

    def _put_off(self, incident: str, until: int) -> None:
        self._work.pop(incident)
        self._not_before[incident] = until

    def _audit(
        self, incident: str, evidence: Sequence[Evidence], rules: Rules, systems: str, *, last: bool
    ) -> AttachEvidence | None:
        """Return the audit, or None where more outputs are needed and may still come."""

        def whose(item: Evidence) -> tuple[str, str]:
            return item.model, item.version

        topic, audited = full_name(self._settings.ledger, "telemetry"), []
        for key, items in groupby(sorted(evidence, key=whose), whose):
            if key not in rules:
                continue
            window = read_window(self._clients, topic, list(items))
            outputs, results = examine(rules[key], (rows for rows, _ in window.rows))
            audited.append(Audited(*key, window.first, window.last, window.complete, outputs, results))
        if not last and any(rule["result"] == TOO_FEW for one in audited for rule in one.rules):
            return None
        digest = file(self._clients, self._settings.ledger, report(incident, systems, audited))
        said = summary(audited)
        _LOG.info("outputs audited", incident=incident, result=said, digest=digest)
        rows = sum(one.outputs for one in audited)
        return AttachEvidence(incident=incident, kind=OUTPUT_AUDIT, digest=digest, rows=rows, summary=said)


def _audited(case: Case) -> bool:
    return any(kept.kind == OUTPUT_AUDIT for kept in case.evidence)


def declared(systems: Systems, evidence: Sequence[Evidence]) -> Rules:
    """Return the rules of each model version that the evidence names, the first ones by name, where it has any."""
    found: Rules = {}
    for model, version in sorted({(item.model, item.version) for item in evidence}):
        known = systems.find(model)
        if known is not None and known[2].output_rules and len(found) < _MAX_VERSIONS:
            found[model, version] = known[2].output_rules
    return found
