"""The detect role: monitors over telemetry, run by the Faust loop, judged by the policy that the ledger adopted."""

import os
import signal

from agents.detect import Detect, Judge
from agents.fold import Trust
from schemas.codec import frame
from schemas.topics import full_name
from streams.faust_loop import run_worker
from streams.kafka import Record
from streams.keyring import state_key
from streams.ledger_thread import LedgerThread
from streams.settings import Settings
from streams.worker_spec import WorkerSpec


def spec(settings: Settings, judge: Judge, instance: str | None) -> WorkerSpec:
    """Return what the worker runs: one processor a partition of telemetry, its signals keyed by model."""
    signals = full_name(settings.ledger, "signals")

    def publish(event: object) -> Record:
        model: str = getattr(event, "model")  # noqa: B009 - every record of signals has one
        return Record(signals, model.encode(), frame(event))

    return WorkerSpec(
        app_id=f"{settings.ledger}-detect",
        topics=(full_name(settings.ledger, "telemetry"),),
        factory=lambda _topic, _partition: Detect(judge),
        publish=publish,
        state_topic=full_name(settings.ledger, "state"),
        dead_letter_topic=full_name(settings.ledger, "deadletter"),
        secret=state_key(settings.keys_directory),
        instance=instance,
    )


def run(settings: Settings, trust: Trust, instance: str | None) -> None:
    """Run until asked to stop; when another policy is adopted, save, and go on from there under it."""
    reload: list[bool] = []

    def changed() -> None:
        reload.append(True)
        os.kill(os.getpid(), signal.SIGTERM)

    ledger = LedgerThread(settings, trust, changed)
    ledger.start()
    while True:
        reload.clear()
        control = ledger.control
        assert control.policy is not None
        run_worker(spec(settings, Judge(control.policy_digest, control.policy.detection), instance), settings)
        if not reload:
            break
    ledger.stop()
