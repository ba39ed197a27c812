"""Telemetry made for tests: batches of generated rows, as the records that Kafka would hold."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from agents.detection.columns import decode
from agents.detection.detect import Detect
from agents.detection.joined import Joined, Target
from agents.detection.profile import Facet, Profile, learn
from agents.detection.sample import BAD, Sample
from agents.detection.standard import Standard
from agents.received import Received
from schemas.codec import frame
from schemas.signals import MonitorObserved, SignalCleared, SignalRaised
from schemas.telemetry import Column, InferenceBatch
from schemas.thresholds import Thresholds
from schemas.values import Mode

START = 1_700_000_000_000
"""The broker's time of the first record, in milliseconds."""

ROLES = ("prediction", "confidence", "latency", "prediction_id", "at")


def column(name: str, values: Any, role: str = "", flags: bytes = b"") -> Column:
    """Return a column: of text from a list of strings, of long or double from an array."""
    role = role or (name if name in ROLES else "feature")
    if len(values) and isinstance(values[0], str):
        dictionary = tuple(dict.fromkeys(values))
        code = {text: i for i, text in enumerate(dictionary)}
        codes = np.array([code[text] for text in values], dtype="<u2")
        return Column(name=name, role=role, kind="string", values=codes.tobytes(), dictionary=dictionary, flags=flags)
    array = np.asarray(values)
    kind, dtype = ("long", "<i8") if array.dtype.kind == "i" else ("double", "<f8")
    return Column(name=name, role=role, kind=kind, values=array.astype(dtype).tobytes(), flags=flags)


def batch(columns: Mapping[str, Any], first: int = 0, instance: str = "a", **fields: Any) -> InferenceBatch:
    """Return a batch of one instance, from values by column name."""
    made = tuple(values if isinstance(values, Column) else column(name, values) for name, values in columns.items())
    rows = len(made[0].values) // (2 if made[0].kind == "string" else 8)
    given = {"model": "m", "version": "1", "mode": Mode.REALTIME, "source": instance, **fields}
    return InferenceBatch(instance=instance, first_position=first, rows=rows, columns=made, **given)


def received(body: Any, offset: int, timestamp: int | None = None, topic_id: str = "T") -> Received:
    """Return a record as the loop hands it over, a second after the one before."""
    return Received(
        topic="headgate.telemetry.v1",
        topic_id=topic_id,
        partition=0,
        offset=offset,
        timestamp=START + offset * 1000 if timestamp is None else timestamp,
        key=body.model.encode(),
        value=frame(body),
    )


def labelled(errors: Any = None, **columns: Any) -> Sample:
    """Return a sample of joined labels; errors are bits, and every column that is not given says nothing."""
    count = len(next(values for values in (errors, *columns.values()) if values is not None))
    nothing, none = np.full(count, np.nan), np.full(count, -1, dtype=np.int64)
    given = {
        "at": np.full(count, START, dtype=np.int64),
        "errors": nothing if errors is None else np.asarray(errors, dtype=np.float64),
        "residuals": nothing,
        "confidence": nothing,
        "predicted": none,
        "labelled": none,
        "groups": none,
        "classes": (),
        "combinations": (),
    }
    joined = Joined(target=Target(version="1", mode=Mode.REALTIME), **given | columns)
    return Sample(rows=0, at_from=START, at_to=START, joined=joined)


def sure(rng: np.random.Generator, bad: bool) -> Sample:
    """Return labels of predictions that are right as often as their confidence says; bad: it says more."""
    right = rng.random(250)
    return labelled(rng.random(250) > right, confidence=right**0.1 if bad else right)


def grouped(rng: np.random.Generator, bad: bool) -> Sample:
    """Return rows of two groups with like outcomes; bad: one group gets none."""
    women = rng.random(250) < 0.4
    share = np.where(women & bad, 0.02, 0.5)
    columns = {
        "prediction": np.where(rng.random(250) < share, "yes", "no").tolist(),
        "sex": column("sex", np.where(women, "f", "m").tolist(), "group"),
    }
    rows = decode(batch(columns))
    return Sample(rows=250, at_from=START, at_to=START, source=rows, times=np.full(250, START))


def features(rng: np.random.Generator, rows: int, count: int = 10) -> dict[str, Any]:
    """Return normal features f0, f1, … with confidence and latency (ms)."""
    made: dict[str, Any] = {f"f{i}": rng.normal(i, 1 + i, rows) for i in range(count)}
    return made | {"confidence": rng.beta(12, 2, rows), "latency": rng.lognormal(2, 0.4, rows)}


@dataclass
class Traffic:
    """A detector of one partition with its own offsets and positions, and the signals it gave."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    events: list[Any] = field(default_factory=list)
    offset: int = 0
    rows: int = 0

    def __post_init__(self) -> None:
        self.detect = Detect(Standard("policy", self.thresholds))
        self._positions: dict[str, int] = {}

    def send(self, columns: Mapping[str, Any], instance: str = "a", **fields: Any) -> list[Any]:
        """Judge one batch and return its events."""
        return self.hand(self.batch(columns, instance, **fields))

    def batch(self, columns: Mapping[str, Any], instance: str = "a", **fields: Any) -> InferenceBatch:
        """Return the next batch of an instance."""
        body = batch(columns, self._positions.get(instance, 0), instance, **fields)
        self._positions[instance] = body.first_position + body.rows
        self.rows += body.rows
        return body

    def hand(self, body: Any, timestamp: int | None = None) -> list[Any]:
        """Judge any record and return its events."""
        events = self.detect.step(received(body, self.offset, timestamp))
        self.offset += 1
        self.events += events
        return events

    def run(self, batches: Iterator[Mapping[str, Any]], instances: Sequence[str] = ("a",)) -> "Traffic":
        """Judge batches, from the instances in turn."""
        for i, columns in enumerate(batches):
            self.send(columns, instances[i % len(instances)])
        return self

    @property
    def raised(self) -> list[SignalRaised]:
        """Every signal that was raised, in order."""
        return [event for event in self.events if isinstance(event, SignalRaised)]

    @property
    def cleared(self) -> list[SignalCleared]:
        """Every signal that was cleared, in order."""
        return [event for event in self.events if isinstance(event, SignalCleared)]

    @property
    def observed(self) -> list[MonitorObserved]:
        """Every regular word."""
        return [event for event in self.events if isinstance(event, MonitorObserved)]

    @property
    def standing(self) -> set[str]:
        """Names of the signals that stand."""
        standing: set[str] = set()
        for event in self.events:
            if isinstance(event, SignalRaised):
                standing.add(event.signal)
            elif isinstance(event, SignalCleared):
                standing.discard(event.signal)
        return standing


def profile() -> Profile:
    """Return the profile of one normal feature."""
    values = np.random.default_rng(0).normal(size=(1, 2000))
    facets = (Facet(name="f0", role="feature", text=False),)
    bad = np.zeros((1, len(BAD)), dtype=np.int64)
    learnt, _ = learn(facets, values, bad, np.array([[0, 1999]]), Thresholds())
    return learnt
