"""Monitors: columns that come late, policies that change, instances that come and go."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agents.detection.columns import decode as decoded
from agents.detection.detect import Detect
from agents.detection.detectors.catalogue import Setting, make
from agents.detection.detectors.psi import Psi, PsiState, stability
from agents.detection.detectors.triggers import Adwin, RiverState
from agents.detection.monitor import Monitor
from agents.detection.standard import Standard
from agents.detection.standing import Change
from schemas.avro import decode, encode
from schemas.errors import SchemaError
from schemas.thresholds import Thresholds
from schemas.values import Category, Mode
from tests.traffic import START, Traffic, batch, column, features, profile


def test_psi_matches_its_definition_and_its_tail_is_that_of_chi_square() -> None:
    """Equal histograms score 0; moving a tenth of the mass gives the textbook value; the tail follows n and m."""
    before = np.full((1, 10), 1000)
    used = np.ones((1, 10), dtype=bool)
    psi, score = stability(before // 10, before, used, np.ones(1))
    assert psi[0] == pytest.approx(0, abs=1e-6)
    assert score[0] == pytest.approx(0, abs=1e-6)
    moved = np.array([[200, 0, *[100] * 8]])
    wanted = (0.2 - 0.1) * np.log(0.2 / 0.1)
    psi, score = stability(moved, before, used, np.ones(1))
    assert psi[0] > wanted
    assert score[0] > 10
    assert stability(moved // 10, before, used, np.ones(1))[1][0] < score[0]


def test_a_column_that_comes_after_the_first_batch_is_watched() -> None:
    """A column absent, or all null, in the first batches becomes a facet while the reference is learnt."""
    rng = np.random.default_rng(1)
    traffic = Traffic()
    for i in range(40):
        columns = features(rng, 250, 2)
        columns["kind"] = (
            column("kind", np.zeros(250), flags=b"\1" * 250) if i < 2 else [f"k{n % 3}" for n in range(250)]
        )
        if i < 2:
            del columns["f1"], columns["confidence"]
        elif i > 24:
            columns["kind"] = [f"new{n % 3}" for n in range(250)]
            columns["f1"] = columns["f1"] + 10
        traffic.send(columns)
    found = {(signal.subject, signal.category) for signal in traffic.raised}
    assert {("kind", Category.DATA_QUALITY), ("f1", Category.DATA_DRIFT)} <= found


def test_rows_without_any_watched_column_are_counted_and_judged_as_nothing() -> None:
    """A batch of ids alone raises nothing and counts."""
    traffic = Traffic(Thresholds(observe_every_rows=1))
    traffic.send({"prediction_id": ["a", "b"]})
    assert traffic.observed[-1].rows == 2
    assert traffic.observed[-1].clear_rows == 0


def test_many_features_shorten_the_reference_and_the_rest_are_left_out() -> None:
    """The cells held while learning are bounded, and only the first features by name are judged."""
    policy = Thresholds(reference_cells=4000, max_features=8, floor_rows=100)
    rng = np.random.default_rng(1)
    traffic = Traffic(policy)
    for i in range(12):
        columns = features(rng, 250, 12)
        if i > 6:
            columns["f0"] = columns["f0"] + 10
            columns["f9"] = columns["f9"] + 100
        traffic.send(columns)
        ((_, _, body),) = traffic.detect.dirty()
        assert len(body) < 60_000
    assert {signal.subject for signal in traffic.raised if signal.detector == "psi"} == {"f0"}


def test_late_rows_before_there_is_a_reference_teach_nothing() -> None:
    """Backfill does not make a reference; a batch of mixed rows is split."""
    rng = np.random.default_rng(1)
    traffic = Traffic(Thresholds(reference_rows=500))
    for i in range(30):
        columns = features(rng, 250, 2)
        at = np.full(250, 1_700_000_000_000 + traffic.offset * 1000, dtype=np.int64)
        at[: 250 if i < 6 else 100] -= 7_200_000
        columns["at"] = at
        if i < 6:
            columns["f0"] = columns["f0"] + 50
        elif i > 12:
            columns["f1"] = np.where(np.arange(250) < 100, columns["f1"] + 50, columns["f1"])
        traffic.send(columns)
    assert {(signal.subject, signal.backfill) for signal in traffic.raised} >= {("f1", True)}
    assert all(signal.backfill for signal in traffic.raised)


def test_another_policy_takes_over_saved_state() -> None:
    """State saved under one policy goes on under another that keeps more windows."""
    rng = np.random.default_rng(1)
    traffic = Traffic()
    for _ in range(20):
        traffic.send(features(rng, 250, 2))
    ((unit, offset, body),) = traffic.detect.dirty()
    traffic.detect = Detect(Standard("other", Thresholds(rolling_windows=6, max_instances=2)))
    traffic.detect.restore(unit, offset, body)
    for _ in range(8):
        columns = features(rng, 250, 2)
        columns["f0"] = columns["f0"] + 5
        traffic.send(columns)
    assert {(signal.subject, signal.policy) for signal in traffic.raised} >= {("f0", "other")}


def test_a_second_bad_instance_widens_the_signal() -> None:
    """When another instance shows it too, the narrow signal is cleared and one for all is raised."""
    rng = np.random.default_rng(2)
    traffic = Traffic()
    for i in range(120):
        columns = features(rng, 100, 2)
        bad = {"b"} if 60 <= i < 90 else {"b", "c"} if i >= 90 else set()
        instance = "abc"[i % 3]
        if instance in bad:
            columns["f0"] = columns["f0"] * 100
        traffic.send(columns, instance)
    reference = [signal for signal in traffic.raised if (signal.subject, signal.baseline) == ("f0", "reference")]
    assert [signal.instance for signal in reference][:2] == ["b", ""]
    assert {signal.instance for signal in reference[2:]} <= {""}  # it may be raised anew as it becomes far worse
    assert reference[0].signal in {event.signal for event in traffic.cleared}


def test_an_instance_alone_is_found_where_the_whole_hides_it() -> None:
    """One bad replica of ten is diluted in the whole; its own windows show it."""
    rng = np.random.default_rng(2)
    traffic = Traffic()
    for i in range(200):
        columns = features(rng, 100, 2)
        if i >= 60 and i % 10 == 3:
            columns["f0"] = columns["f0"] + 1
        traffic.send(columns, f"i{i % 10}")
    assert {signal.instance for signal in traffic.raised if signal.subject == "f0"} == {"i3"}


def test_another_rivers_window_begins_anew() -> None:
    """ADWIN's bytes of another river version are not loaded; a panic on damaged ones is a SchemaError."""
    adwin = Adwin(0.002)
    adwin.feed(np.random.default_rng(0).normal(size=100))
    saved = decode(RiverState, adwin.state())
    other = Adwin(0.002)
    other.restore(encode(RiverState(river="0.1", found=True, body=saved.body)))
    assert other.state() == Adwin(0.002).state()
    with pytest.raises(SchemaError):
        other.restore(encode(RiverState(river=saved.river, found=False, body=b"")))


def test_unknown_detectors_and_missing_profiles_are_refused() -> None:
    """Saved state that names what does not exist, or lacks its profile, is a SchemaError."""
    with pytest.raises(SchemaError):
        make("nonsense", Setting(thresholds=Thresholds()))
    with pytest.raises(SchemaError):
        make("psi", Setting(thresholds=Thresholds()))
    assert isinstance(make("psi", Setting(thresholds=Thresholds(), profile=profile())), Psi)


def test_repeats_count_once() -> None:
    """A batch that was sent again, or overlaps, adds only rows that are new; the source counts them."""
    traffic = Traffic(Thresholds(observe_every_rows=1))
    rng = np.random.default_rng(1)
    traffic.hand(batch(features(rng, 100), 0))
    assert traffic.hand(batch(features(rng, 100), 0)) == []
    traffic.hand(batch(features(rng, 100), 50))
    assert traffic.observed[-1].rows == 150


@pytest.mark.parametrize("sizes", [(97, 411), (2000, 2000), (1, 500)])
def test_nothing_depends_on_how_rows_were_batched(sizes: tuple[int, int]) -> None:
    """The same rows in other batches change the same levels after the same rows, and leave the same state."""
    rng = np.random.default_rng(5)
    columns = features(rng, 12_000, 3) | {
        "confidence": rng.beta(12, 2, 12_000),
        "latency": rng.lognormal(2, 0.4, 12_000),
    }
    columns["f1"][7000:9500] *= 3.0
    columns["f2"][4000:4100] = np.nan
    columns["latency"][10_000:] *= 9
    whole, parts = (Monitor("1", Mode.REALTIME, Thresholds()) for _ in range(2))
    wanted = _changes(whole, columns, [250] * 48)
    cut = [sizes[i % 2] for i in range(12_000)]
    assert wanted
    assert _changes(parts, columns, cut) == wanted
    assert parts.state() == replace(whole.state(), unobserved=parts.state().unobserved)


def _changes(monitor: Monitor, columns: dict[str, Any], sizes: list[int]) -> list[Change]:
    first, found = 0, []
    for size in sizes:
        part = {name: values[first : first + size] for name, values in columns.items()}
        if not len(part["f1"]):
            break
        found += monitor.update(decoded(batch(part, first)), START)
        first += size
    return found


@pytest.mark.parametrize(("share", "numbers"), [(0.5, False), (0.9, True)])
def test_a_model_that_gives_one_answer_to_whatever_it_is_asked_performs_badly(share: float, *, numbers: bool) -> None:
    """Where all predictions become the rarer class while the inputs go on, performance is signalled, once."""
    rng = np.random.default_rng(1)

    def sent(i: int) -> dict[str, Any]:
        said = np.where(rng.random(250) < share, "no", "yes") if i < 30 else np.full(250, "yes")
        made = (said == "yes").astype(np.int64) if numbers else said.tolist()
        return features(rng, 250, 3) | {"prediction": made}

    traffic = Traffic().run(sent(i) for i in range(40))
    found = [signal for signal in traffic.raised if signal.category is Category.PERFORMANCE]
    assert [(signal.subject, signal.statistic) for signal in found] == [("prediction", "collapse")]
    assert found[0].first_bad_at >= START + 29_000


def test_a_model_that_says_no_to_nearly_all_is_not_broken_by_a_window_of_them() -> None:
    """A class of 99 in 100 may fill windows."""
    rng = np.random.default_rng(1)

    def sent(i: int) -> dict[str, Any]:
        made = (rng.random(250) < 0.01) & (i < 30)
        return features(rng, 250, 3) | {"prediction": made.astype(np.int64)}

    traffic = Traffic().run(sent(i) for i in range(36))
    assert not [signal for signal in traffic.raised if signal.category is Category.PERFORMANCE]


@pytest.mark.parametrize("rows", [70_000, -1])
def test_windows_of_another_policy_are_remembered_exactly_however_many_rows_they_hold(rows: int) -> None:
    """A saved histogram of more rows than a window has now, or of a number that none can have, comes back as it was."""
    psi = make("psi", Setting(thresholds=Thresholds(), profile=profile()))
    assert isinstance(psi, Psi)
    saved = decode(PsiState, psi.state())
    counts = np.full(len(saved.counts) // 8, rows, dtype="<i8").tobytes()
    body = encode(replace(saved, counts=counts))
    psi.restore(body)
    assert psi.state() == body


def test_gaps_that_come_in_bunches_are_usual_and_a_flood_of_them_is_not() -> None:
    """A station that is silent for an hour at a time is so again; that half of its values are missing is a fault."""
    rng = np.random.default_rng(4)
    silent = np.repeat(rng.random(400) < 0.1, 60)
    silent[20_000:] |= rng.random(4000) < 0.5
    traffic = Traffic()
    for first in range(0, 24_000, 250):
        columns = features(rng, 250, 2)
        columns["f1"] = column("f1", columns["f1"], flags=silent[first : first + 250].astype(np.uint8).tobytes())
        traffic.send(columns)
        if first < 20_000:
            assert traffic.raised == []
    assert {(signal.subject, signal.statistic) for signal in traffic.raised} == {("f1", "null")}
