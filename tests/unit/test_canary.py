"""Canary probes: an exchanged model is found at its next run, an unsteady one is not mistaken for it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from agents import fingerprint
from schemas.atlas import RUG_PULL
from schemas.errors import SchemaError
from schemas.telemetry import ProbeResult
from schemas.values import Category
from tests.traffic import START, Traffic

PROBES = 20


def run(answers: list[Any], probe_set: str = "a" * 64, **given: Any) -> ProbeResult:
    """Return the record of a run; an answer of None did not come."""
    exact = tuple("" if answer is None else fingerprint.exact(answer) for answer in answers)
    coarse = tuple("" if answer is None else fingerprint.coarse(answer) for answer in answers)
    facts: dict[str, Any] = {"model": "m", "version": "1", "at": START, "probe_set": probe_set, "latency_ms": 3.0}
    return ProbeResult(**facts | {"fingerprint": fingerprint.whole(exact), "exact": exact, "coarse": coarse} | given)


def steady(number: int) -> list[Any]:
    """Return answers that are always the same."""
    return [{"score": (n * 7 % 10) / 10 + number} for n in range(PROBES)]


def unsteady(rng: np.random.Generator, mean: float) -> list[Any]:
    """Return answers that vary, and of which one in five or so varies in form."""
    return [round(mean + n / 10 + float(rng.normal(0, 0.0008)), 6) for n in range(PROBES)]


def test_an_exchanged_model_is_raised_by_the_first_run_that_shows_it_and_cleared_when_it_is_back() -> None:
    """After three runs alike, other answers are an attack with AML.T0109; two runs as before clear it."""
    traffic = Traffic()
    for _ in range(5):
        traffic.hand(run(steady(0)))
    assert traffic.events == []
    traffic.hand(run(steady(1)))
    (signal,) = traffic.raised
    assert (signal.category, signal.technique, signal.subject) == (Category.ATTACK, RUG_PULL, "canary")
    assert signal.score > 3
    assert "AI Supply Chain Rug Pull (AML.T0109)" in signal.summary
    traffic.hand(run(steady(1)))
    traffic.hand(run(steady(0)))
    assert traffic.cleared == []
    traffic.hand(run(steady(0)))
    assert [cleared.signal for cleared in traffic.cleared] == [signal.signal]


def test_a_new_version_or_probe_set_is_learnt_anew() -> None:
    """Other answers under another version, or to other probes, say nothing."""
    traffic = Traffic()
    for _ in range(4):
        traffic.hand(run(steady(0)))
    for _ in range(4):
        traffic.hand(run(steady(1), version="2"))
        traffic.hand(run(steady(2), probe_set="b" * 64))
    assert traffic.raised == []


def test_one_changed_answer_in_twenty_or_a_model_that_is_down_is_nothing() -> None:
    """Too few changes, and runs without answers, raise nothing and spoil nothing."""
    traffic = Traffic()
    for _ in range(4):
        traffic.hand(run(steady(0)))
    traffic.hand(run([*steady(0)[:-1], "other"]))
    traffic.hand(run([None] * PROBES))
    traffic.hand(run([None] * 12 + steady(1)[12:]))
    assert traffic.raised == []
    traffic.hand(run([None] * 5 + steady(1)[5:]))
    assert len(traffic.raised) == 1


def test_a_model_that_samples_is_held_to_the_form_of_its_answers() -> None:
    """Answers that never repeat raise nothing as long as their form is usual; another level of them does."""
    traffic, rng = Traffic(), np.random.default_rng(3)
    for _ in range(60):
        traffic.hand(run(unsteady(rng, 0.5)))
    assert traffic.raised == []
    traffic.hand(run(unsteady(rng, 0.9)))
    assert [signal.technique for signal in traffic.raised] == [RUG_PULL]


@pytest.mark.parametrize(
    "wrong",
    [
        {"exact": ()},
        {"exact": ("a",), "coarse": ()},
        {"exact": ("a",) * 201, "coarse": ("a",) * 201},
        {"coarse": ("x" * 65,) * PROBES},
        {"version": ""},
    ],
)
def test_a_run_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    """Lengths that disagree, too many answers, or long digests are a SchemaError, and nothing is remembered."""
    traffic = Traffic()
    with pytest.raises(SchemaError):
        traffic.hand(run(steady(0), **wrong))
    assert traffic.detect.dirty() == []


def test_saved_and_restored_at_any_run_it_goes_on_exactly() -> None:
    """The unit's state round-trips through learning, judging, raised and cleared."""
    runs: list[Callable[[], ProbeResult]] = [lambda: run(steady(0))] * 4 + [lambda: run(steady(1))] * 2
    runs += [lambda: run(steady(0))] * 3
    straight = Traffic()
    wanted = [straight.hand(make()) for make in runs]
    for cut in range(1, len(runs)):
        first, second = Traffic(), Traffic()
        for make in runs[:cut]:
            first.hand(make())
        ((unit, offset, body),) = first.detect.dirty()
        second.detect.restore(unit, offset, body)
        second.offset = cut
        assert [second.hand(make()) for make in runs[cut:]] == wanted[cut:]
