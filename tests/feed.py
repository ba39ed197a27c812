"""Signals as detect would write them, and the records of the signals topic that hold them."""

from dataclasses import dataclass, field
from typing import Any

from agents.received import Received
from agents.triage.judge import Judge
from agents.triage.triage import Triage
from schemas.codec import frame
from schemas.ids import derive
from schemas.policy import TriagePolicy
from schemas.signals import MonitorObserved, SignalCleared, SignalRaised
from schemas.systems import Systems
from schemas.values import Category, Mode, Position

T0 = 1_700_000_000_000
TELEMETRY = "telemetry-topic-id"

SYSTEMS = Systems.model_validate(
    {
        "version": 1,
        "systems": {
            "radiator": {
                "scope": "Classifies the state of a radiator",
                "owner": "ml_engineer",
                "models": {"shuttle": {"versions": ["1", "2"], "known_good": "1", "traffic": "envoy:shuttle"}},
            },
            "loans": {
                "scope": "Decides on loans",
                "models": {
                    "features": {},
                    "risk": {"depends_on": ["features"], "versions": ["7", "8"], "known_good": "7"},
                    "price": {"depends_on": ["risk"]},
                    "letters": {},
                },
            },
        },
    }
)


def judge(**policy: Any) -> Judge:
    """Judge by the default policy with these changes."""
    return Judge("digest", TriagePolicy(**{"gather_ms": 1500} | policy), SYSTEMS)


def raised(subject: str = "f1", category: Category = Category.DATA_DRIFT, **given: Any) -> SignalRaised:
    """Return a signal on shuttle version 2, with defaults that its category suggests."""
    statistic, detector = _USUAL[category]
    facts: dict[str, Any] = {
        "at": T0,
        "model": "shuttle",
        "version": "2",
        "instance": "",
        "mode": Mode.REALTIME,
        "category": category,
        "detector": detector,
        "subject": subject,
        "statistic": statistic,
        "value": 2.1,
        "threshold": 0.15,
        "score": 40.0,
        "baseline": "reference",
        "first_bad_at": T0 - 500,
        "window_from": T0 - 500,
        "window_to": T0,
        "rows": 500,
        "technique": None,
        "policy": "digest",
        "source": Position(topic_id=TELEMETRY, partition=0, offset=100),
        "summary": "it differs",
        **given,
    }
    names = ("model", "version", "instance", "detector", "statistic", "baseline", "subject")
    facts.setdefault("signal", "/".join((facts["source"].topic_id, *(str(facts[name]) for name in names))))
    facts.setdefault("id", derive(facts["signal"], facts["source"].offset))
    return SignalRaised(**facts)


def cleared(signal: SignalRaised, offset: int = 200) -> SignalCleared:
    """Return the end of a signal, as telemetry at an offset showed it."""
    source = Position(topic_id=signal.source.topic_id, partition=0, offset=offset)
    name = derive(signal.signal, offset, "cleared")
    return SignalCleared(
        id=name, signal=signal.signal, at=T0, model=signal.model, version=signal.version, source=source
    )


def again(subject: str = "f1", offset: int = 300, **given: Any) -> SignalRaised:
    """Return a signal that later telemetry raised."""
    return raised(subject, source=Position(topic_id=TELEMETRY, partition=0, offset=offset), **given)


def observed(*instances: str, model: str = "shuttle", version: str = "2") -> MonitorObserved:
    """Return a monitor's regular word."""
    source = Position(topic_id=TELEMETRY, partition=0, offset=90)
    return MonitorObserved(
        id="o",
        at=T0,
        model=model,
        version=version,
        mode=Mode.REALTIME,
        rows=1,
        clear_rows=0,
        raised=(),
        instances=instances,
        source=source,
    )


@dataclass
class Feed:
    """A signals topic that triage reads as it is written."""

    triage: Triage = field(default_factory=lambda: Triage(judge()))
    records: list[Received] = field(default_factory=list)
    told: list[Any] = field(default_factory=list)

    def say(self, *said: object, at: int = 0) -> list[Any]:
        """Write records, `at` ms after the beginning, and return what triage tells."""
        events = [event for one in said for event in self.triage.step(self.write(one, at))]
        self.told += events
        return events

    def write(self, said: object, at: int) -> Received:
        """Write a record that triage does not read yet."""
        record = Received(
            topic="signals",
            topic_id="signals-topic-id",
            partition=0,
            offset=len(self.records),
            timestamp=T0 + at,
            key=b"shuttle",
            value=frame(said),
        )
        self.records.append(record)
        return record

    def tick(self, at: int) -> list[Any]:
        """Let it be `at` ms after the beginning."""
        events = self.triage.tick(T0 + at)
        self.told += events
        return events


_USUAL = {
    Category.DATA_DRIFT: ("psi", "psi"),
    Category.DATA_QUALITY: ("nan", "quality"),
    Category.CONFIDENCE: ("mean", "adwin"),
    Category.PERFORMANCE: ("share", "hddm_a"),
    Category.FAIRNESS: ("gap", "fairness"),
    Category.ATTACK: ("rate", "attack"),
    Category.OUTPUT_SAFETY: ("mean", "adwin"),
    Category.INFRASTRUCTURE: ("geometric_mean", "adwin"),
    Category.HUMAN_REPORT: ("report", "person"),
}
