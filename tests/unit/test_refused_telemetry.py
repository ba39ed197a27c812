"""Telemetry that detection refuses: each with a SchemaError, and nothing of it is kept."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agents.detection.detect import Detect
from agents.detection.standard import Standard
from schemas.errors import SchemaError
from schemas.telemetry import HealthSample, LabelBatch, ScoreBatch
from schemas.thresholds import Thresholds
from schemas.values import Mode
from tests.traffic import START, Traffic, batch, features, received


def test_a_record_under_another_key_is_refused() -> None:
    """A key that is not the model id may stand in the wrong partition, so it is a SchemaError."""
    record = received(batch(features(np.random.default_rng(1), 10)), 0)
    with pytest.raises(SchemaError, match="key"):
        Detect(Standard("p", Thresholds())).unit_of(replace(record, key=b"other"))


def test_undecodable_bytes_are_refused() -> None:
    """Bytes that are no record are a SchemaError."""
    record = received(batch(features(np.random.default_rng(1), 10)), 0)
    for value in (b"", b"\0", b"\0\0\0\0\1garbage", record.value[:-1]):
        with pytest.raises(SchemaError):
            Detect(Standard("p", Thresholds())).step(replace(record, value=value))


def test_the_monitor_beyond_the_limit_is_refused_and_the_others_go_on() -> None:
    """With two monitors allowed, the third is a SchemaError that names the limit; nothing of it is kept."""
    traffic = Traffic(Thresholds(max_monitors=2))
    rng = np.random.default_rng(1)
    traffic.send(features(rng, 10))
    traffic.send(features(rng, 10), mode=Mode.SHADOW)
    for body in (
        batch(features(rng, 10), version="2"),
        batch(features(rng, 10), model="n"),
        HealthSample(model="m", version="3", instance="", at=START, requests=1, failures=0),
    ):
        with pytest.raises(SchemaError, match="2 monitors"):
            traffic.hand(body)
    assert [name for name, _, _ in traffic.detect.dirty()] == ["T/m"]
    traffic.send(features(rng, 10), mode=Mode.SHADOW)


def test_more_judges_than_are_watched_are_refused() -> None:
    """The ninth judge is a SchemaError, not silence."""
    traffic = Traffic()
    bodies = [
        ScoreBatch(
            model="m", version="1", instance="", judge=f"j{i}", prediction_ids=("x",), at=(START,), scores=(0.1,)
        )
        for i in range(9)
    ]
    for body in bodies[:8]:
        traffic.hand(body)
    with pytest.raises(SchemaError, match="judges"):
        traffic.hand(bodies[8])


@pytest.mark.parametrize(
    "body",
    [
        HealthSample(model="m", version="1", instance="", at=0, requests=1, failures=2),
        HealthSample(model="m", version="1", instance="", at=0, requests=-1, failures=0),
        HealthSample(model="m", version="", instance="", at=0, requests=1, failures=0),
        ScoreBatch(model="m", version="1", instance="", judge="j", prediction_ids=("x",), at=(0,), scores=(2.0,)),
        ScoreBatch(model="m", version="1", instance="", judge="j", prediction_ids=(), at=(0,), scores=(0.5,)),
        LabelBatch(model="m", source="s", first_position=-1, prediction_ids=("x",), labels=("y",), at=(0,)),
        LabelBatch(model="m", source="s", first_position=0, prediction_ids=("x",), labels=(), at=(0,)),
        LabelBatch(model="", source="s", first_position=0, prediction_ids=(), labels=(), at=()),
    ],
)
def test_records_that_contradict_themselves_are_refused(body: Any) -> None:
    """Counts and lengths that cannot be are a SchemaError, and leave no state behind."""
    traffic = Traffic()
    with pytest.raises(SchemaError):
        traffic.hand(body)
    assert traffic.detect.dirty() == []


def test_a_saved_state_of_another_format_is_refused() -> None:
    """Unknown or damaged state is a SchemaError, so that the unit is rebuilt from the topic."""
    detect = Traffic().detect
    for body in (b"", b"\x02abc", b"\x01abc"):
        with pytest.raises(SchemaError):
            detect.restore("T/m", 0, body)
    assert detect.dirty() == []
