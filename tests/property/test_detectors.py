"""Every detector keeps the contract: same answer, exact state, never blinded, bounded, repeats change nothing."""

import struct
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.detection.detect import Detect
from agents.detection.detectors.catalogue import CATALOGUE, Detector, Setting, make
from agents.detection.standard import Standard
from schemas.errors import SchemaError
from schemas.telemetry import HealthSample, LabelBatch
from schemas.thresholds import Thresholds
from tests.subjects import DETECTORS, POLICY, Subject
from tests.traffic import START, Traffic, batch, column, features, received

each = pytest.mark.parametrize("subject", DETECTORS, ids=lambda subject: subject.name)


def _fed(detector: Detector, subject: Subject, seed: int, faults: list[bool]) -> list[Any]:
    rng = np.random.default_rng(seed)
    answers = []
    for fault in faults:
        detector.update(subject.sample(rng, fault))
        answers.append(detector.levels())
    return answers


def test_every_detector_of_the_catalogue_is_held_to_the_contract() -> None:
    """Whoever adds a detector adds what it is fed."""
    assert {entry.name for entry in CATALOGUE} <= {subject.name for subject in DETECTORS}


@each
def test_a_fault_is_raised_and_cleared_after_it(subject: Subject) -> None:
    """Nothing is raised before a fault, something within twelve batches of one, nothing twelve after it."""
    answers = _fed(subject.new(), subject, 1, [False] * 20 + [True] * 12 + [False] * 12)
    assert answers[19] == []
    assert answers[31] != []
    assert answers[31][0].detector == subject.new().name
    assert answers[31][0].score > 2
    assert answers[43] == []


@each
def test_the_same_stream_gives_the_same_answers_and_the_same_state(subject: Subject) -> None:
    """Two detectors fed alike answer alike and save the same bytes."""
    faults = [False] * 16 + [True] * 8
    first, second = subject.new(), subject.new()
    assert _fed(first, subject, 2, faults) == _fed(second, subject, 2, faults)
    assert first.state() == second.state()


@each
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cut=st.integers(0, 35), seed=st.integers(0, 1000))
def test_a_restored_detector_goes_on_exactly(subject: Subject, cut: int, seed: int) -> None:
    """Saved and restored at any point, the state is the same bytes and the future is the same."""
    faults = [False] * 20 + [True] * 10 + [False] * 6
    straight, before, after = subject.new(), subject.new(), subject.new()
    wanted = _fed(straight, subject, seed, faults)
    rng = np.random.default_rng(seed)
    for fault in faults[:cut]:
        before.update(subject.sample(rng, fault))
    after.restore(before.state())
    assert after.state() == before.state()
    for fault, answer in zip(faults[cut:], wanted[cut:], strict=True):
        after.update(subject.sample(rng, fault))
        assert after.levels() == answer
    assert after.state() == straight.state()


@each
def test_the_state_does_not_grow_with_the_stream(subject: Subject) -> None:
    """After ten times the rows the state is no larger than a few buckets more."""
    detector = subject.new()
    _fed(detector, subject, 3, [False] * 20)
    short = len(detector.state())
    _fed(detector, subject, 4, [False] * 200)
    assert len(detector.state()) < short + 1500


@each
@given(garbage=st.binary(max_size=60))
@settings(max_examples=25, deadline=None)
def test_damaged_state_is_refused(subject: Subject, garbage: bytes) -> None:
    """Bytes that are no state are a SchemaError, never another exception; the shortest happen to be a state."""
    for body in (subject.new().state() + garbage + b"x", subject.new().state()[:-1]):
        with pytest.raises(SchemaError):
            subject.new().restore(body)
    detector = subject.new()
    try:
        detector.restore(garbage)
    except SchemaError:
        return
    assert detector.state() == garbage


@pytest.mark.parametrize("name", [entry.name for entry in CATALOGUE if entry.mergeable])
@given(seed=st.integers(0, 99), shards=st.permutations([True, False]), bad=st.booleans())
@settings(max_examples=20, deadline=None)
def test_shards_of_a_window_merge_into_the_whole(name: str, seed: int, shards: list[bool], bad: bool) -> None:
    """Where a detector is declared mergeable, two that saw some rows of each window each are one that saw all."""
    subject = next(subject for subject in DETECTORS if subject.name == name)
    wide = Setting(thresholds=Thresholds(window_rows=600), profile=subject.profile())
    whole, left, right = (make(name, wide) for _ in range(3))
    rng = np.random.default_rng(seed)
    for on_the_left in shards:
        sample = subject.sample(rng, bad)
        whole.update(sample)
        (left if on_the_left else right).update(sample)
    left.merge(right.state())  # type: ignore[attr-defined]
    assert left.state() == whole.state()
    for detector in (left, whole):
        _fed(detector, subject, seed, [bad] * 5)
    assert left.state() == whole.state()


BAD_CELLS = st.sampled_from([float("nan"), float("inf"), -float("inf"), 1e300, -1e300, 5e-324, -0.0, 1e18])


@given(cells=st.lists(BAD_CELLS, min_size=1, max_size=12), flag=st.integers(0, 2), seed=st.integers(0, 99))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_bad_cells_in_every_column_blind_nothing(cells: list[float], flag: int, seed: int) -> None:
    """NaN, inf, 1e300, nulls and wrong types in every column, then a real shift, drop and delay: each is found."""
    rng = np.random.default_rng(seed)
    traffic = Traffic()
    for i in range(12):
        columns = features(rng, 500, 3)
        if i in (1, 8, 9):
            for name in list(columns):
                values = columns[name].copy()
                values[: len(cells)] = cells
                flags = bytes([flag]) * len(cells) + bytes(500 - len(cells))
                columns[name] = column(name, values, flags=flags)
        traffic.send(columns)
    quiet = len(traffic.raised)
    for _ in range(8):
        columns = features(rng, 500, 3)
        columns["f1"] = columns["f1"] + 4
        columns["confidence"] = columns["confidence"] * 0.7
        columns["latency"] = columns["latency"] * 8
        traffic.send(columns)
    assert {"f1", "confidence", "latency"} <= {signal.subject for signal in traffic.raised[quiet:]}


@cache
def _mixed(seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    records: list[Any] = []
    for i in range(24):
        instance = "ab"[i % 2]
        columns = features(rng, 250, 3)
        columns["prediction_id"] = [f"{i}-{n}" for n in range(250)]
        columns["prediction"] = ["x" if v > 0 else "y" for v in columns["f0"]]
        columns["kind"] = [("red", "green", "blue")[n % 3] for n in range(250)]
        if i > 16:
            columns["f1"] = columns["f1"] * 100
        records.append(batch(columns, (i // 2) * 250, instance))
        labels = tuple("x" for _ in range(250))
        ids = tuple(columns["prediction_id"])
        at = (START,) * 250
        records.append(
            LabelBatch(model="m", source="l", first_position=i * 250, prediction_ids=ids, labels=labels, at=at)
        )
        records.append(HealthSample(model="m", version="1", instance=instance, at=START, requests=20, failures=i % 2))
    return [received(body, offset) for offset, body in enumerate(records)]


@cache
def _straight(seed: int) -> tuple[list[Any], list[Any]]:
    """Return what is said of each record of `_mixed` without a crash, and what is saved at the end."""
    detect = Detect(Standard("p", POLICY))
    return [detect.step(record) for record in _mixed(seed)], detect.dirty()


@given(cut=st.integers(1, 71), again=st.integers(0, 71))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_unit_saved_anywhere_goes_on_exactly_and_a_replayed_prefix_adds_nothing(cut: int, again: int) -> None:
    """At any point: save, restore elsewhere, replay from any earlier record; events and bytes are as without."""
    records = _mixed(5)
    wanted, saved = _straight(5)
    first, second = Detect(Standard("p", POLICY)), Detect(Standard("p", POLICY))
    for record in records[:cut]:
        first.step(record)
    ((unit, offset, body),) = first.dirty()
    second.restore(unit, offset, body)
    for record in records[min(again, cut) : cut]:
        assert second.step(record) == []
    assert [second.step(record) for record in records[cut:]] == wanted[cut:]
    if cut < len(records):
        assert second.dirty() == saved


def test_a_unit_stays_small_however_many_instances_and_sources_come() -> None:
    """Hundreds of instances and sources leave a state of bounded size."""
    policy = Thresholds(max_instances=4, max_sources=8, reference_rows=500)
    traffic = Traffic(policy)
    rng = np.random.default_rng(1)
    sizes = []
    for i in range(120):
        traffic.send(features(rng, 100, 3), f"instance-{i:04d}")
        if i in (40, 119):
            ((_, _, body),) = traffic.detect.dirty()
            sizes.append(len(body))
    assert sizes[1] <= sizes[0] + 1500


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_and_change_nothing(garbage: bytes) -> None:
    """Bytes from outside are judged or refused with SchemaError; nothing else escapes."""
    traffic = Traffic()
    good = received(batch(features(np.random.default_rng(1), 10)), 0)
    value = good.value[:5] + garbage
    with pytest.raises(SchemaError):
        traffic.detect.step(type(good)(**{f: getattr(good, f) for f in good.__slots__} | {"value": value}))
    assert traffic.detect.dirty() == []


@given(position=st.integers(0, 10**6), byte=st.integers(0, 255))
@settings(max_examples=150, deadline=None)
def test_one_damaged_byte_is_judged_or_refused(position: int, byte: int) -> None:
    """Any one byte of a batch changed: the record is judged, or refused with SchemaError."""
    good = received(batch(features(np.random.default_rng(1), 40, 2)), 0)
    value = bytearray(good.value)
    struct.pack_into("B", value, position % len(value), byte)
    changed = type(good)(**{f: getattr(good, f) for f in good.__slots__} | {"value": bytes(value)})
    detect = Detect(Standard("p", Thresholds(reference_rows=200)))
    try:
        detect.step(changed)
    except SchemaError:
        assert detect.dirty() == []
