"""States whose bytes are well formed and whose numbers are nonsense are refused, or change nothing but what is said."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest

from agents.detection.detectors.exchange import ExchangeState
from agents.detection.detectors.intervals import wilson
from agents.detection.detectors.jumps import JumpsState
from agents.detection.detectors.performance_state import PerformanceState
from schemas.avro import decode, encode
from schemas.errors import SchemaError
from tests.subjects import DETECTORS

NONSENSE = (np.nan, np.inf, -np.inf, -1.0, 0.0, 1e300, -1e300, 1e18)
STATES = {"jump": JumpsState, "exchange": ExchangeState, "error": PerformanceState, "residual": PerformanceState}


def spoilt(state: Any, rng: np.random.Generator) -> Any:
    """Return a state of which some numbers are others, however it is nested."""
    changed = {}
    for field in fields(state):
        value = getattr(state, field.name)
        if isinstance(value, bytes) and value and len(value) % 8 == 0 and rng.random() < 0.3:
            numbers = np.frombuffer(value, dtype="<f8").copy()
            numbers[rng.integers(0, len(numbers), 2)] = rng.choice(NONSENSE, 2)
            value = numbers.tobytes()
        elif type(value) is int and rng.random() < 0.2:
            value = int(rng.choice([-1, 0, 2**60, -(2**60)]))
        elif is_dataclass(value):
            value = spoilt(value, rng)
        changed[field.name] = value
    return type(state)(**changed)


def saved(name: str) -> Iterator[tuple[Any, bytes]]:
    """Yield what a detector is fed, and its states before, in and after a fault."""
    subject = next(subject for subject in DETECTORS if subject.name == name)
    detector, rng = subject.new(), np.random.default_rng(1)
    for batch in range(30):
        detector.update(subject.sample(rng, 20 <= batch < 28))
        if batch in (5, 20, 22, 29):
            yield subject, detector.state()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", STATES)
def test_nonsense_in_a_state_is_refused_or_judged_on(name: str) -> None:
    """Whatever numbers a state holds, nothing but SchemaError escapes, now and with the rows that follow."""
    rng, refused = np.random.default_rng(2), 0
    for subject, body in saved(name):
        good = decode(STATES[name], body)
        for _ in range(40):
            detector = subject.new()
            try:
                detector.restore(encode(spoilt(good, rng)))
                for batch in range(4):
                    detector.update(subject.sample(rng, batch > 1))
                    detector.state()
            except SchemaError:
                refused += 1
    assert refused > 20


def test_the_interval_of_more_hits_than_trials_is_that_of_all() -> None:
    """Sums that rounding or a damaged state took beyond their number have an interval, too."""
    assert wilson(101, 100) == wilson(100, 100)
