"""Detection from framed records to signals: every kind of fault, and nothing where there is none."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from river.datasets import Shuttle

from agents.detection.detect import Detect
from agents.detection.standard import Standard
from schemas.signals import SignalCleared, SignalRaised
from schemas.telemetry import HealthSample, LabelBatch, ScoreBatch
from schemas.thresholds import Thresholds
from schemas.values import Category
from tests.traffic import START, Traffic, batch, column, features, received

Fault = Callable[[dict[str, Any], np.random.Generator], None]


def units(columns: dict[str, Any], _rng: np.random.Generator) -> None:
    """Send f3 in another unit."""
    columns["f3"] = columns["f3"] * 1000


def stuck(columns: dict[str, Any], _rng: np.random.Generator) -> None:
    """Hold f3 still."""
    columns["f3"] = np.full_like(columns["f3"], 3.25)


def swapped(columns: dict[str, Any], _rng: np.random.Generator) -> None:
    """Exchange f3 and f7."""
    columns["f3"], columns["f7"] = columns["f7"], columns["f3"]


def latency(columns: dict[str, Any], _rng: np.random.Generator) -> None:
    """Answer late."""
    columns["latency"] = columns["latency"] * 10 + 100


def nan_flood(columns: dict[str, Any], rng: np.random.Generator) -> None:
    """Lose half of f3 to NaN."""
    columns["f3"] = np.where(rng.random(len(columns["f3"])) < 0.5, np.nan, columns["f3"])


def null_flood(columns: dict[str, Any], rng: np.random.Generator) -> None:
    """Leave 30 % of f3 out."""
    flags = (rng.random(len(columns["f3"])) < 0.3).astype(np.uint8).tobytes()
    columns["f3"] = column("f3", columns["f3"], flags=flags)


def wrong_type(columns: dict[str, Any], _rng: np.random.Generator) -> None:
    """Send f3 as text."""
    columns["f3"] = [f"{value:.0f}" for value in columns["f3"].tolist()]


def unsure(columns: dict[str, Any], _rng: np.random.Generator) -> None:
    """Lower the confidence."""
    columns["confidence"] = columns["confidence"] * 0.8


def sentinel(columns: dict[str, Any], rng: np.random.Generator) -> None:
    """Put a sentinel in 6 % of f3."""
    columns["f3"] = np.where(rng.random(len(columns["f3"])) < 0.06, -99999.0, columns["f3"])


FAULTS: dict[str, tuple[Fault, Category]] = {
    "units": (units, Category.DATA_DRIFT),
    "stuck": (stuck, Category.DATA_QUALITY),
    "swapped": (swapped, Category.DATA_DRIFT),
    "latency": (latency, Category.INFRASTRUCTURE),
    "nan flood": (nan_flood, Category.DATA_QUALITY),
    "null flood": (null_flood, Category.DATA_QUALITY),
    "wrong type": (wrong_type, Category.DATA_QUALITY),
    "confidence": (unsure, Category.CONFIDENCE),
    "sentinel": (sentinel, Category.DATA_QUALITY),
}


def normal(rng: np.random.Generator, rows: int, size: int = 250) -> Iterator[dict[str, Any]]:
    """Yield batches without a fault."""
    for _ in range(rows // size):
        yield features(rng, size)


def faulty(rng: np.random.Generator, rows: int, fault: Fault, size: int = 250) -> Iterator[dict[str, Any]]:
    """Yield batches with a fault."""
    for columns in normal(rng, rows, size):
        fault(columns, rng)
        yield columns


@pytest.fixture(scope="module")
def shuttle() -> dict[str, Any]:
    """All rows of the Shuttle data that river bundles, by column."""
    rows = [x for x, _ in Shuttle()]
    return {name: np.array([row[name] for row in rows], dtype=np.float64) for name in rows[0]}


def shuffled(shuttle: dict[str, Any], seed: int, rows: int, size: int = 250) -> Iterator[dict[str, Any]]:
    """Yield the rows in a random order with made-up confidence and latency."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(next(iter(shuttle.values()))))[:rows]
    for start in range(0, rows, size):
        part = order[start : start + size]
        made = {f"f{i}": values[part] for i, values in enumerate(shuttle.values())}
        yield made | {"confidence": rng.beta(30, 1, len(part)), "latency": rng.lognormal(1, 0.5, len(part))}


def test_no_fault_raises_nothing_in_200_000_rows() -> None:
    """Independent rows with default thresholds raise no signal, and every row is counted."""
    traffic = Traffic().run(normal(np.random.default_rng(1), 200_000, 2000))
    assert traffic.raised == []
    assert traffic.observed[-1].rows == 200_000
    assert traffic.observed[-1].clear_rows == 198_000


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_mean_shift_of_one_deviation_is_found_within_a_thousand_rows(seed: int) -> None:
    """One feature of ten moves by 1 σ: its signal is raised within 1,000 rows, and no other feature's."""
    rng = np.random.default_rng(seed)
    traffic = Traffic().run(normal(rng, 6000))

    def moved(columns: dict[str, Any], _rng: np.random.Generator) -> None:
        columns["f4"] = columns["f4"] + 5

    traffic.run(faulty(rng, 1000, moved))
    assert {signal.subject for signal in traffic.raised} == {"f4"}
    assert traffic.raised[0].category == Category.DATA_DRIFT
    assert START + 24_000 <= traffic.raised[0].first_bad_at <= START + 28_000


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_first_raised_under_its_own_category_and_cleared_after_it(name: str) -> None:
    """The first signals of a fault have its category; when it ends, all that was raised is cleared."""
    fault, category = FAULTS[name]
    rng = np.random.default_rng(7)
    traffic = Traffic().run(normal(rng, 5000)).run(faulty(rng, 3000, fault))
    assert traffic.raised
    assert traffic.raised[0].category == category
    assert {s.category for s in traffic.raised} <= {category, Category.CONFIDENCE}
    assert traffic.observed[-1].clear_rows == 0
    assert traffic.observed[-1].raised == tuple(sorted(traffic.standing))
    traffic.run(normal(rng, 4000))
    assert traffic.standing == set()
    assert traffic.observed[-1].clear_rows >= 1000


@pytest.mark.parametrize("seed", [1, 2])
def test_real_data_without_a_fault_raises_nothing(shuttle: dict[str, Any], seed: int) -> None:
    """40,000 rows of Shuttle in random order raise no signal."""
    assert Traffic().run(shuffled(shuttle, seed, 40_000)).raised == []


@pytest.mark.parametrize("name", ["units", "stuck", "swapped", "latency", "nan flood"])
def test_real_data_with_a_fault_raises_its_category_first(shuttle: dict[str, Any], name: str) -> None:
    """On Shuttle, too, what is raised first has the fault's category."""
    fault, category = FAULTS[name]
    rng = np.random.default_rng(5)
    traffic = Traffic()
    for i, columns in enumerate(shuffled(shuttle, 5, 12_000)):
        if i >= 32:
            fault(columns, rng)
        traffic.send(columns)
    assert traffic.raised[0].category == category
    assert {signal.category for signal in traffic.raised} == {category}


@pytest.mark.parametrize("name", ["units", "stuck", "latency", "null flood"])
@pytest.mark.parametrize("size", [100, 2000])
def test_the_one_bad_instance_of_three_is_named(name: str, size: int) -> None:
    """A fault of one replica of three is raised under that instance's name alone."""
    fault, category = FAULTS[name]
    rng = np.random.default_rng(3)
    instances = ("a", "b", "c")
    traffic = Traffic().run(normal(rng, 6 * max(size, 1000), size), instances)
    for i, columns in enumerate(normal(rng, 9 * max(size, 1000), size)):
        if i % 3 == 1:
            fault(columns, rng)
        traffic.send(columns, instances[i % 3])
    assert traffic.raised
    assert {(signal.category, signal.instance) for signal in traffic.raised} == {(category, "b")}


@pytest.mark.parametrize("size", [100, 2000])
def test_a_fault_of_all_instances_names_none(size: int) -> None:
    """What all three replicas show is raised for all."""
    rng = np.random.default_rng(3)
    instances = ("a", "b", "c")
    traffic = Traffic().run(normal(rng, 6 * max(size, 1000), size), instances)
    traffic.run(faulty(rng, 9 * max(size, 1000), units, size), instances)
    assert {signal.instance for signal in traffic.raised} == {""}


def predicted(rng: np.random.Generator, first: int, rows: int = 250) -> dict[str, Any]:
    """Return rows with a prediction id and a predicted class."""
    made = features(rng, rows, 2)
    made["prediction_id"] = [f"p{first + i}" for i in range(rows)]
    made["prediction"] = ["yes" if value > 0 else "no" for value in made["f0"]]
    return made


def test_wrong_predictions_are_a_fault_of_performance() -> None:
    """When the share of wrong labels rises from 5 to 30 %, a performance signal is raised."""
    rng = np.random.default_rng(11)
    traffic = Traffic()
    for i in range(100):
        columns = predicted(rng, traffic.rows)
        traffic.send(columns)
        wrong = rng.random(250) < (0.05 if i < 60 else 0.3)
        truth = tuple(
            ("no" if made == "yes" else "yes") if bad else made
            for made, bad in zip(columns["prediction"], wrong.tolist(), strict=True)
        )
        ids = tuple(columns["prediction_id"])
        at = (START + traffic.offset * 1000,) * 250
        traffic.hand(
            LabelBatch(model="m", source="truth", first_position=i * 250, prediction_ids=ids, labels=truth, at=at)
        )
    assert {(s.category, s.detector) for s in traffic.raised} == {(Category.PERFORMANCE, "performance")}


def test_failed_requests_are_a_fault_of_the_infrastructure() -> None:
    """An instance whose requests begin to fail is named."""
    traffic = Traffic()
    for i in range(80):
        for instance in ("a", "b"):
            failures = 8 if instance == "b" and i >= 60 else 0
            sample = HealthSample(
                model="m", version="1", instance=instance, at=START, requests=20, failures=failures, saturation=None
            )
            traffic.hand(sample)
    assert [(s.category, s.instance) for s in traffic.raised] == [(Category.INFRASTRUCTURE, "b")]


def test_a_judge_whose_scores_rise_is_a_fault_of_output_safety() -> None:
    """Guardrail scores that rise raise output safety."""
    rng = np.random.default_rng(2)
    traffic = Traffic()
    for i in range(40):
        scores = tuple(np.clip(rng.beta(1, 9, 100) + (0.3 if i > 30 else 0), 0, 1).tolist())
        ids = tuple(f"{i}-{n}" for n in range(100))
        at = (START,) * 100
        traffic.hand(
            ScoreBatch(model="m", version="1", instance="a", judge="toxicity", prediction_ids=ids, at=at, scores=scores)
        )
    assert {s.category for s in traffic.raised} == {Category.OUTPUT_SAFETY}


def test_what_only_late_rows_show_is_marked_as_backfill() -> None:
    """Rows two hours old with a fault raise signals that are marked, and the live monitor stays clear."""
    rng = np.random.default_rng(4)
    traffic = Traffic().run(normal(rng, 4000))
    for columns in faulty(rng, 2000, units):
        columns["at"] = np.full(250, START + traffic.offset * 1000 - 7_200_000, dtype=np.int64)
        traffic.send(columns)
    assert traffic.raised
    assert all(signal.backfill for signal in traffic.raised)
    assert "late rows" in traffic.raised[0].summary


def test_a_replayed_record_changes_nothing_and_a_reload_gives_the_same_bytes() -> None:
    """Records at or before the saved offset are ignored after a restore; all later events are the same."""
    rng = np.random.default_rng(9)
    batches = [*normal(rng, 4000), *faulty(rng, 2000, units)]
    records = [received(batch(columns, i * 250), i) for i, columns in enumerate(batches)]
    straight = Detect(Standard("p", Thresholds()))
    wanted = [straight.step(record) for record in records]
    broken = Detect(Standard("p", Thresholds()))
    seen = [broken.step(record) for record in records[:18]]
    ((unit, offset, body),) = broken.dirty()
    assert broken.dirty() == []
    broken.forget()
    broken.restore(unit, offset, body)
    assert all(broken.step(record) == [] for record in records[:18])
    seen += [broken.step(record) for record in records[18:]]
    assert seen == wanted
    assert broken.dirty() == [(name, at, state) for name, at, state in straight.dirty() if name == unit]


def test_signals_carry_policy_source_and_a_name_that_their_clearing_repeats() -> None:
    """A signal names its policy and record, its id is unique, and the cleared name was raised."""
    rng = np.random.default_rng(6)
    traffic = Traffic().run(normal(rng, 4000)).run(faulty(rng, 1500, units)).run(normal(rng, 2000))
    events = [e for e in traffic.events if isinstance(e, SignalRaised | SignalCleared)]
    assert len({event.id for event in events}) == len(events)
    assert {signal.policy for signal in traffic.raised} == {"policy"}
    assert {event.signal for event in traffic.cleared} == {event.signal for event in traffic.raised}
    first = traffic.raised[0]
    assert first.at == START + first.source.offset * 1000
    assert first.summary.startswith("psi of f3 is ")
    assert first.score > 6
