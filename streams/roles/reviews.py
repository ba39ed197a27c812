"""The reviews role: has people look at single decisions of running incidents, and sends their verdicts as labels.

A label's position is the index of the entry that decided the review: sent again after a restart it is known, and
detection counts it once.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from agents.ledger.case import Case
from agents.ledger.fold import Verified
from agents.ledger.state import LedgerState
from agents.roles.review import Made, chosen, open_for, overdue
from schemas.case.reviews import ReviewDecided
from schemas.codec import frame
from schemas.errors import HeadgateError
from schemas.telemetry import LabelBatch
from schemas.topics import full_name
from streams.archive.evidence import evidence_store
from streams.archive.reviewed import decisions, kept_windows, outcome, row_of
from streams.kafka import AwaitedProducer, Clients
from streams.ledger.keyring import Identity, archive_key
from streams.settings import Settings

SOURCE = "review"
"""The source that labels of reviews name."""

_LOG = structlog.get_logger("reviews")
_AGAIN_MS = 30_000
_RESENT_MS = 7 * 86_400_000  # as long as telemetry is kept: an older one was sent, and read, before a restart


@dataclass(frozen=True, slots=True)
class _Said:
    event: ReviewDecided
    index: int
    at: int


class ReviewQueue:
    """Queues what is to be reviewed, tells what is overdue, and sends a label for each verdict."""

    name = "reviews"

    def __init__(self, settings: Settings, identity: Identity) -> None:
        self.identity: Identity | None = identity
        self._store = evidence_store(settings, archive_key(settings.keys_directory))
        self._producer = AwaitedProducer(Clients(settings))
        self._topic = full_name(settings.ledger, "telemetry")
        self._rows: dict[str, dict[str, list[Made]]] = {}
        self._chosen: dict[str, tuple[Case, list[object]]] = {}
        self._not_before: dict[str, int] = {}
        self._said: deque[_Said] = deque()

    def take(self, verified: Sequence[Verified], state: LedgerState) -> None:
        """Remember each verdict, for its label."""
        del state
        for found in verified:
            for event in found.events:
                if isinstance(event, ReviewDecided):
                    self._said.append(_Said(event, found.index, 0 if found.entry is None else found.entry.at))

    def proposals(self, state: LedgerState, now: int) -> list[object]:
        """Send the labels that wait; return what is to be reviewed, and what is overdue."""
        self._send(state, now)
        found: list[object] = []
        for case in state.cases.values():
            found += overdue(case, now)
            if open_for(case):
                found += self._choose(state, case, now)
            else:
                self._rows.pop(case.incident, None)
                self._chosen.pop(case.incident, None)
        return found

    def _choose(self, state: LedgerState, case: Case, now: int) -> list[object]:
        before = self._chosen.get(case.incident)
        if before is not None and before[0] is case:
            return before[1]
        if now < self._not_before.get(case.incident, 0):
            return []
        rows = self._rows.setdefault(case.incident, {})
        try:
            for manifest in kept_windows(case):
                if manifest not in rows:
                    rows[manifest] = decisions(self._store, case.incident, manifest)
        except (HeadgateError, OSError) as error:
            _LOG.warning("evidence could not be read; tried again", incident=case.incident, reason=str(error))
            self._not_before[case.incident] = now + _AGAIN_MS
            return []
        made = [one for each in rows.values() for one in each]
        found: list[object] = [*chosen(state.control, case, made)]
        self._chosen[case.incident] = (case, found)
        return found

    def _send(self, state: LedgerState, now: int) -> None:
        """Send labels in the order of their verdicts; one that cannot be said is left out."""
        while self._said:
            said = self._said[0]
            if now - said.at <= _RESENT_MS:
                self._send_one(state, said)
            self._said.popleft()

    def _send_one(self, state: LedgerState, said: _Said) -> None:
        event = said.event
        label = event.label
        if not label:
            review = state.cases[event.incident].reviews.queued[event.prediction]
            try:
                label = outcome(row_of(self._store, event.incident, review))
            except (HeadgateError, OSError) as error:
                _LOG.warning("a verdict gives no label", incident=event.incident, reason=str(error))
                return
        body = LabelBatch(
            model=event.model,
            source=SOURCE,
            first_position=said.index,
            prediction_ids=(event.prediction,),
            labels=(label,),
            at=(said.at,),
        )
        self._producer.send(self._topic, event.model.encode("utf-8", "surrogatepass"), frame(body))
        _LOG.info("label sent", incident=event.incident, verdict=event.verdict.value)
