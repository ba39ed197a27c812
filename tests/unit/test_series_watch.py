"""Metrics among telemetry: watched by instance and name, told with every batch, raised and cleared as signals."""

import re
from typing import Any

import numpy as np

from agents.detection.detect import Detect
from agents.detection.series.detector import SeriesDetector
from agents.detection.standard import Standard
from agents.triage.judge import Judge
from agents.triage.triage import Triage
from schemas.policy import TriagePolicy
from schemas.signals import SeriesScored, SignalCleared, SignalRaised
from schemas.systems import Systems
from schemas.telemetry import Column
from schemas.thresholds import Series, Thresholds
from tests.traffic import START, Traffic, batch, column, features, received

STEP = 1000


def made(rows: int = 3000) -> tuple[Any, Any]:
    """Return a series that jumps at row 2500 for 40 rows, and its times."""
    values = 10 + np.random.default_rng(4).normal(0, 1, rows)
    values[2500:2540] += 50
    return values, START - STEP * rows + STEP * np.arange(rows, dtype=np.int64)


def batches(values: Any, at: Any, size: int) -> list[dict[str, Column]]:
    """Return columns of a metric, size rows at a time."""
    return [
        {"cpu": column("cpu", values[i : i + size], "metric"), "at": column("at", at[i : i + size])}
        for i in range(0, len(values), size)
    ]


def scores(events: list[Any], name: str = "cpu", instance: str = "a") -> np.ndarray:
    """Return all scores that were told of a series, in order."""
    told = [e for e in events if isinstance(e, SeriesScored) and (e.name, e.instance) == (name, instance)]
    return np.concatenate([np.frombuffer(e.scores, "<f8") for e in told])


def test_a_metric_is_told_as_a_backtest_would_and_raised_until_it_is_calm() -> None:
    """Batches of any size give the detector's own scores; one signal is raised at the jump and cleared after it."""
    values, at = made()
    wanted = SeriesDetector(Series()).update(values, at)
    for size in (7, 500):
        traffic = Traffic()
        for columns in batches(values, at, size):
            traffic.send(columns)
        assert np.array_equal(scores(traffic.events), wanted.scores)
        raised = next(e for e in traffic.raised if e.first_bad_at == at[2500])
        assert (raised.detector, raised.subject, raised.statistic) == ("series", "cpu", "surprise")
        assert (raised.category, raised.score, raised.instance) == ("infrastructure", wanted.scores[2500], "a")
        assert raised.signal in {event.signal for event in traffic.cleared}


def test_each_instance_and_each_name_is_a_series_of_its_own() -> None:
    """Three series of two instances are each scored as if alone; text where numbers belong is skipped and counted."""
    values, at = made(400)
    traffic = Traffic()
    for i in range(0, 400, 100):
        part = slice(i, i + 100)
        times = column("at", at[part])
        traffic.send({"cpu": column("cpu", values[part], "metric"), "at": times}, "a")
        other = {"cpu": column("cpu", -values[part], "metric"), "gpu": column("gpu", ["x"] * 100, "metric")}
        traffic.send(other | {"at": times}, "b")
    assert np.array_equal(scores(traffic.events), SeriesDetector(Series()).update(values, at).scores)
    assert np.array_equal(scores(traffic.events, "cpu", "b"), SeriesDetector(Series()).update(-values, at).scores)
    texts = [e for e in traffic.events if isinstance(e, SeriesScored) and e.name == "gpu"]
    assert sum(e.skipped for e in texts) == 400


def test_rows_of_metrics_alone_lack_no_prediction() -> None:
    """Between batches of predictions, batches of metrics are scored, and change nothing that predictions are told."""
    values, at = made(2000)
    rng = np.random.default_rng(5)
    traffic = Traffic()
    for columns in batches(values, at, 50):
        traffic.send(features(rng, 250))
        traffic.send(columns)
    assert len(scores(traffic.events)) == 2000
    assert not [event.subject for event in traffic.raised if event.detector != "series"]
    assert traffic.observed[-1].rows == 250 * 40


def test_cells_that_are_flagged_are_no_values() -> None:
    """A cell that is null by its flag is skipped whatever number stands in its place."""
    values, at = made(300)
    flags = bytes(1 if i % 3 == 0 else 0 for i in range(300))
    traffic = Traffic()
    traffic.send({"cpu": column("cpu", values, "metric", flags), "at": column("at", at)})
    kept = np.array([not flag for flag in flags])
    wanted = np.zeros(300)
    wanted[kept] = SeriesDetector(Series()).update(values[kept], at[kept]).scores
    assert np.array_equal(scores(traffic.events), wanted)


def test_more_series_than_policy_allows_do_not_push_out_those_that_are_heard() -> None:
    """The third of two is not watched while both are heard, and takes the place of one that fell silent."""
    policy = Thresholds(series=Series(max_series=2, memory_rows=256))
    traffic, names = Traffic(policy), ("one", "two", "three")
    rows = np.arange(50.0)
    for _ in range(3):
        traffic.send({name: column(name, rows, "metric") for name in names})
    assert {e.name for e in traffic.events if isinstance(e, SeriesScored)} == {"one", "two"}
    for _ in range(8):
        traffic.send({name: column(name, rows, "metric") for name in names[1:]})
    assert {e.name for e in traffic.events[-4:] if isinstance(e, SeriesScored)} == {"two", "three"}
    traffic.send(features(np.random.default_rng(1), 1000))
    (found,) = traffic.observed[-1].findings
    assert re.match(r"\d+ times a batch's metric was not watched, because 2 series are heard", found)


def test_a_watch_goes_on_from_its_saved_state() -> None:
    """Scores and signals after a restart in the middle of a fault are those of a detector that went on."""
    values, at = made()
    parts = batches(values, at, 90)
    through, first = Traffic(), Traffic()
    for columns in parts:
        through.send(columns)
    for columns in parts[:28]:
        first.send(columns)
    ((name, offset, body),) = first.detect.dirty()
    second = Traffic(offset=first.offset)
    second.detect = Detect(Standard("policy", Thresholds()))
    second.detect.restore(name, offset, body)
    for i, columns in enumerate(parts[28:], 28):
        second.hand(batch(columns, i * 90))
    assert first.events + second.events == through.events


def test_a_late_fault_of_a_metric_is_told_and_pages_nobody() -> None:
    """Rows years old are scored by their own time of day; their signal is marked as backfill."""
    values, at = made()
    old = at - 365 * 86_400_000
    traffic = Traffic()
    for columns in batches(values, old, 500):
        traffic.send(columns)
    assert np.array_equal(scores(traffic.events), SeriesDetector(Series()).update(values, old).scores)
    assert traffic.raised
    assert all(event.backfill for event in traffic.raised)


def test_triage_takes_no_notice_of_scores() -> None:
    """A record of scores opens nothing, and the signals beside it open what they would have opened without."""
    values, at = made()
    traffic = Traffic()
    for columns in batches(values, at, 500):
        traffic.send(columns)
    opened = []
    for kinds in ((SignalRaised, SignalCleared), (SignalRaised, SignalCleared, SeriesScored)):
        triage = Triage(Judge("policy", TriagePolicy(), Systems(version=1)))
        events: list[Any] = []
        for i, event in enumerate(e for e in traffic.events if isinstance(e, kinds)):
            record = received(event, i, event.at)
            events += triage.step(record)
        events += triage.tick(START + 3_600_000)
        opened.append([type(event).__name__ for event in events])
    assert opened[0] == opened[1]
    assert "IncidentOpened" in opened[0]


def test_what_comes_and_goes_within_a_millisecond_is_told_apart() -> None:
    """Two jumps of one batch whose rows tell no time: each word has its own id, so none is taken for another."""
    values = 10 + np.random.default_rng(4).normal(0, 1, 3000)
    values[2500:2540] += 50
    values[2900:2999] += 90
    traffic = Traffic()
    for start in (0, 1000, 2000):
        traffic.send({"cpu": column("cpu", values[start : start + 1000], "metric")})
    raised = [event for event in traffic.raised if event.source.offset == 2]
    assert len(raised) > 1
    assert len({(event.signal, event.window_from, event.window_to) for event in raised}) == 1
    assert len({event.id for event in [*traffic.raised, *traffic.cleared]}) == len(traffic.raised) + len(
        traffic.cleared
    )
