"""One symptom, three causes: worse predictions and less confidence, told apart by where the trouble began."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from agents.detection.detect import Detect
from agents.detection.standard import Standard
from agents.received import Received
from agents.triage.triage import Triage
from schemas.codec import frame
from schemas.signals import IncidentGrew, IncidentOpened, SignalRaised
from schemas.telemetry import HealthSample, LabelBatch
from schemas.thresholds import Thresholds
from schemas.values import Category
from tests.feed import judge
from tests.traffic import START, batch

SIZE = 250
Columns = dict[str, Any]
Cause = Callable[["Story", Columns, np.random.Generator], None]


class Story:
    """A model with labels and health samples, judged by detection and triage, a second of time a batch."""

    def __init__(self) -> None:
        self.detect, self.triage = Detect(Standard("p", Thresholds())), Triage(judge())
        self.raised: list[SignalRaised] = []
        self.incidents: dict[str, Category] = {}
        self.failures = 0
        self._rows = self._offset = self._signals = 0
        self._rng = np.random.default_rng(5)

    def serve(self, batches: int, cause: Cause | None = None) -> None:
        """Serve batches, each followed by its labels and by what the server says of itself."""
        for _ in range(batches):
            columns: Columns = {f"f{i}": self._rng.normal(i, 1 + i, SIZE) for i in range(4)}
            truth = predicted(columns)[0]
            columns["latency"] = self._rng.lognormal(3, 0.3, SIZE)
            self.failures = 0
            if cause is not None:
                cause(self, columns, self._rng)
            if "prediction" not in columns:
                columns["prediction"], columns["confidence"] = predicted(columns)
            ids = [f"p{self._rows + n}" for n in range(SIZE)]
            columns["prediction_id"] = ids
            labels = [said if self._rng.random() < 0.97 else "?" for said in truth]
            self._tell(batch(columns, self._rows, model="shuttle"))
            at = (self._now,) * SIZE
            told = {"prediction_ids": tuple(ids), "labels": tuple(labels), "at": at}
            self._tell(LabelBatch(model="shuttle", source="l", first_position=self._rows, **told))
            health = {"requests": SIZE, "failures": self.failures}
            self._tell(HealthSample(model="shuttle", version="1", instance="a", at=self._now, **health))
            self._rows += SIZE

    def end(self) -> set[Category]:
        """Let time pass, and return the categories of all incidents as they were told last."""
        self._take(self.triage.tick(self._now + 30_000))
        return set(self.incidents.values())

    @property
    def _now(self) -> int:
        return START + self._offset * 400

    def _tell(self, body: Any) -> None:
        self._offset += 1
        for event in self.detect.step(self._received("telemetry", self._offset, body)):
            if isinstance(event, SignalRaised):
                self.raised.append(event)
            self._signals += 1
            self._take(self.triage.step(self._received("signals", self._signals, event)))
        self._take(self.triage.tick(self._now))

    def _take(self, told: list[object]) -> None:
        for one in told:
            if isinstance(one, IncidentOpened | IncidentGrew):
                self.incidents[one.id] = one.category

    def _received(self, topic: str, offset: int, body: Any) -> Received:
        return Received(
            topic=topic,
            topic_id=f"{topic}-id",
            partition=0,
            offset=offset,
            timestamp=self._now,
            key=body.model.encode(),
            value=frame(body),
        )


def predicted(columns: Columns) -> tuple[list[str], Any]:
    """Return what the model says: the sign of a sum, unsure where an input is missing or the sum is small."""
    total = np.nan_to_num(columns["f0"]) + (np.nan_to_num(columns["f3"]) - 3) / 2
    known = np.isfinite(columns["f0"]) & np.isfinite(columns["f3"])
    confidence = np.where(known, 0.6 + 0.4 * np.tanh(np.abs(total)), 0.55)
    return np.where(total > 0, "yes", "no").tolist(), confidence


def spoil(columns: Columns, chosen: Any) -> None:
    """Answer the chosen rows with the default, hardly sure of it."""
    said, sure = predicted(columns)
    columns["prediction"] = ["no" if bad else one for bad, one in zip(chosen.tolist(), said, strict=True)]
    columns["confidence"] = np.where(chosen, 0.5, sure)


def timeouts(story: Story, columns: Columns, rng: np.random.Generator) -> None:
    """The server times out on six rows of ten and falls back to a default answer; some requests fail outright."""
    late = rng.random(SIZE) < 0.6
    columns["latency"] = np.where(late, 2000 + rng.normal(0, 5, SIZE), columns["latency"])
    story.failures = int(rng.binomial(SIZE, 0.3))
    spoil(columns, late)


def defaults(story: Story, columns: Columns, rng: np.random.Generator) -> None:
    """The feature store times out on six rows of ten, whose inputs are defaults then."""
    late = rng.random(SIZE) < 0.6
    columns["latency"] = np.where(late, 2000 + rng.normal(0, 5, SIZE), columns["latency"])
    story.failures = int(rng.binomial(SIZE, 0.1))
    for name in ("f0", "f3"):
        columns[name] = np.where(late, np.nan, columns[name])


def put_in(story: Story, columns: Columns, _rng: np.random.Generator) -> None:
    """The feature store hangs: every request waits, some fail, and two inputs are one default each."""
    columns["latency"] = columns["latency"] + 120
    story.failures = SIZE // 5
    columns["f0"], columns["f3"] = np.full(SIZE, 3.0), np.zeros(SIZE)
    spoil(columns, np.ones(SIZE, dtype=bool))


def bad_version(_story: Story, columns: Columns, rng: np.random.Generator) -> None:
    """The model itself has become worse: the same inputs, at the usual speed, wrongly answered."""
    spoil(columns, rng.random(SIZE) < 0.6)


def broken_sensor(_story: Story, columns: Columns, rng: np.random.Generator) -> None:
    """Two inputs are missing in six rows of ten, at the usual speed."""
    missing = rng.random(SIZE) < 0.6
    for name in ("f0", "f3"):
        columns[name] = np.where(missing, np.nan, columns[name])


CAUSES: dict[str, tuple[Cause, Category]] = {
    "timeouts of the server": (timeouts, Category.INFRASTRUCTURE),
    "timeouts of the feature store": (defaults, Category.INFRASTRUCTURE),
    "defaults that an outage puts in": (put_in, Category.INFRASTRUCTURE),
    "a bad version": (bad_version, Category.PERFORMANCE),
    "a broken sensor": (broken_sensor, Category.DATA_QUALITY),
}


@pytest.mark.parametrize("name", CAUSES)
def test_the_same_symptom_of_three_causes_gets_three_classifications(name: str) -> None:
    """Errors rise and confidence falls in each; infrastructure, model and data are told apart."""
    cause, category = CAUSES[name]
    story = Story()
    story.serve(30)
    assert story.raised == []
    story.serve(16, cause)
    symptoms = {signal.category for signal in story.raised}
    assert symptoms >= {Category.PERFORMANCE, Category.CONFIDENCE}, [(s.detector, s.subject) for s in story.raised]
    assert story.end() == {category}, [(s.detector, s.subject, s.category) for s in story.raised]
