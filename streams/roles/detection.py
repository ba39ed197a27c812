"""The detect role: monitors over telemetry, run by the Faust loop, judged by the policy that the ledger adopted."""

import threading

from agents.detection.detect import Detect
from agents.detection.standard import Standard
from agents.detection.warm import warm
from agents.ledger.fold import Trust
from schemas.codec import frame
from schemas.topics import full_name
from streams.kafka import Record
from streams.ledger.keyring import state_key
from streams.ledger.thread import LedgerThread
from streams.profiles.adopted import Profiles
from streams.settings import Settings
from streams.worker.faust_loop import run_worker
from streams.worker.spec import WorkerSpec


def spec(settings: Settings, standard: Standard, instance: str | None) -> WorkerSpec:
    """Return what the worker runs: one processor a partition of telemetry, its signals keyed by model."""
    signals = full_name(settings.ledger, "signals")

    def publish(event: object) -> Record:
        model: str = getattr(event, "model")  # noqa: B009 - every record of signals has one
        return Record(signals, model.encode(), frame(event))

    return WorkerSpec(
        app_id=f"{settings.ledger}-detect",
        topics=(full_name(settings.ledger, "telemetry"),),
        factory=lambda _topic, _partition: Detect(standard),
        publish=publish,
        state_topic=full_name(settings.ledger, "state"),
        dead_letter_topic=full_name(settings.ledger, "deadletter"),
        secret=state_key(settings.keys_directory),
        instance=instance,
    )


def run(settings: Settings, trust: Trust, instance: str | None) -> None:
    """Run until asked to stop; when another policy, systems or profile is adopted, save, and go on under it."""
    warm()
    changed = threading.Event()
    ledger = LedgerThread(settings, trust, changed.set)
    ledger.start()
    profiles = Profiles(settings)
    while True:
        changed.clear()
        control = ledger.control
        assert control.policy is not None
        adopted = profiles.of(control.profiles)
        standard = Standard(control.policy_digest, control.policy.detection, control.systems, adopted)
        run_worker(spec(settings, standard, instance), settings, until=changed)
        if not changed.is_set():
            break
    ledger.stop()
