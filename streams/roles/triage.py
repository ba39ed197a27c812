"""The triage role: signals to incidents, run by the Faust loop; each incident is signed with triage's key."""

import itertools

import structlog

from agents.ledger.fold import Trust
from agents.ledger.statement import signed_headers
from agents.received import Received
from agents.triage.judge import Judge
from agents.triage.reports import signal_of
from agents.triage.triage import Triage
from schemas.codec import frame
from schemas.topics import full_name
from streams.kafka import Record
from streams.ledger.keyring import Identity, state_key
from streams.ledger.thread import LedgerThread
from streams.settings import Settings
from streams.worker.faust_loop import run_worker
from streams.worker.spec import WorkerSpec

_LOG = structlog.get_logger("triage")


class FollowingTriage:
    """Triage that takes over what the ledger says in the meantime: the policy in force, and incidents that are over."""

    def __init__(self, ledger: LedgerThread) -> None:
        self._ledger = ledger
        self._judge = judge_of(ledger)
        self._triage = Triage(self._judge)
        self._over = self._heard = 0

    def unit_of(self, record: Received) -> str:
        """As agents.triage.triage.Triage."""
        return self._triage.unit_of(record)

    def step(self, record: Received) -> list[object]:
        """As agents.triage.triage.Triage."""
        self._follow()
        return self._triage.step(record)

    def due(self, now: int) -> bool:
        """As agents.triage.triage.Triage."""
        self._follow()
        return self._triage.due(now)

    def tick(self, now: int) -> list[object]:
        """As agents.triage.triage.Triage."""
        self._follow()
        return self._triage.tick(now)

    def dirty(self) -> list[tuple[str, int, bytes]]:
        """As agents.triage.triage.Triage."""
        return self._triage.dirty()

    def restore(self, unit: str, offset: int, body: bytes) -> None:
        """As agents.triage.triage.Triage; what the ledger said before counts again."""
        self._triage.restore(unit, offset, body)
        self._over = self._heard = 0

    def forget(self, unit: str | None = None) -> None:
        """As agents.triage.triage.Triage."""
        self._triage.forget(unit)
        self._over = self._heard = 0

    def _follow(self) -> None:
        judge = judge_of(self._ledger)
        if judge != self._judge:
            if judge.silences != self._judge.silences:
                _LOG.info("other silences are in force", silences=len(judge.silences))
            self._judge = judge
            self._triage.adopt(judge)
        over = self._ledger.over
        for incident, at in list(itertools.islice(over, self._over, len(over))):
            self._triage.resolve(incident, at)
            self._over += 1
        reports = self._ledger.reports
        for index, report in list(itertools.islice(reports, self._heard, len(reports))):
            signal = signal_of(report, index, self._judge.policy.promote_score, self._judge.digest)
            self._triage.report(signal, report.reported_at)
            self._heard += 1


def judge_of(ledger: LedgerThread) -> Judge:
    """Return what triage judges by now."""
    control = ledger.control
    assert control.policy is not None
    silences = tuple(control.desk.silences.values())
    return Judge(control.policy_digest, control.policy.triage, control.systems, silences, control.merged)


def run(settings: Settings, trust: Trust, identity: Identity, instance: str | None) -> None:
    """Run until asked to stop."""
    ledger = LedgerThread(settings, trust)
    ledger.start()
    incidents = full_name(settings.ledger, "incidents")

    def publish(event: object) -> Record:
        incident: str = getattr(event, "id")  # noqa: B009 - every record of incidents has one
        headers = signed_headers(event, trust.genesis, identity.key)
        return Record(incidents, incident.encode(), frame(event), headers)

    spec = WorkerSpec(
        app_id=f"{settings.ledger}-triage",
        topics=(full_name(settings.ledger, "signals"),),
        factory=lambda _topic, _partition: FollowingTriage(ledger),
        publish=publish,
        state_topic=full_name(settings.ledger, "state"),
        dead_letter_topic=full_name(settings.ledger, "deadletter"),
        secret=state_key(settings.keys_directory),
        instance=instance,
    )
    run_worker(spec, settings)
    ledger.stop()
