"""A profile built from a table is small, the same each time, and lets a monitor judge from its first row."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.detection import reference
from agents.detection.detect import Detect
from agents.detection.reference import Adopted, Reference
from agents.detection.standard import Standard
from schemas import policy
from schemas.documents import digest
from schemas.errors import SchemaError
from schemas.selection import NO_RULE, Selected
from schemas.systems import Systems
from schemas.thresholds import Thresholds
from streams.backtest.judging import run
from streams.backtest.layout import Layout
from streams.backtest.trial import Judged
from streams.profiles.building import Recipe, build
from streams.profiles.report import document
from tests.ledgers import POLICY
from tests.traffic import Traffic, features

ROWS = 3000
LAYOUT = Layout(features=("f0", "f1", "f2"), confidence="confidence", latency="latency")
RECIPE = Recipe(model="m", version="1", policy="p", selected=Selected(NO_RULE, Thresholds()))


def written(path: Path, columns: dict[str, Any]) -> Path:
    """Write a table as CSV."""
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """A profile of three normal features with confidence and latency."""
    columns = features(np.random.default_rng(0), ROWS, 3)
    path = written(tmp_path_factory.mktemp("rows") / "rows.csv", {k: np.round(v, 9) for k, v in columns.items()})
    return build(path, LAYOUT, RECIPE)


def judging(known: Reference, traffic: Traffic) -> Traffic:
    """Let the traffic be judged against a profile from here on, with all that was judged before."""
    saved = traffic.detect.dirty()
    adopted = Adopted(reference.digest(reference.written(known)), known.learnt)
    traffic.detect = Detect(Standard("policy", traffic.thresholds, profiles={("m", "1"): adopted}))
    for unit, offset, body in saved:
        traffic.detect.restore(unit, offset, body)
    return traffic


def test_the_same_rows_give_the_same_small_file(built: Reference, tmp_path: Path) -> None:
    """Built twice, a profile has the same bytes; they are few, and read back to the same."""
    columns = features(np.random.default_rng(0), ROWS, 3)
    again = build(written(tmp_path / "rows.csv", {k: np.round(v, 9) for k, v in columns.items()}), LAYOUT, RECIPE)
    data = reference.written(again)
    assert data == reference.written(built)
    assert reference.read(data) == built
    assert len(data) < 64 * 1024
    reference.try_out(built)


def test_a_monitor_with_a_profile_judges_from_its_first_row(built: Reference) -> None:
    """A shift that is there from the first row is raised in the first window; without a profile it would be normal."""
    rng = np.random.default_rng(1)
    with_one, without = judging(built, Traffic()), Traffic()
    for _ in range(4):
        columns = features(rng, 250, 3)
        columns["f1"] = columns["f1"] + 4
        with_one.send(columns)
        without.send(columns)
    assert {signal.subject for signal in with_one.raised if signal.rows <= 500} >= {"f1"}
    assert without.raised == []


def test_rows_like_the_reference_raise_nothing(built: Reference) -> None:
    """Ten thousand rows of the same kind are judged without a signal."""
    rng = np.random.default_rng(2)
    traffic = judging(built, Traffic()).run(features(rng, 250, 3) for _ in range(40))
    assert traffic.raised == []


def test_streams_that_the_reference_lacks_are_learnt_from_live_rows(tmp_path: Path) -> None:
    """Rows of a training have no latency and no confidence; when the live ones leave what they were, each is raised."""
    rng = np.random.default_rng(6)
    columns = {name: np.round(values, 9) for name, values in features(rng, ROWS, 3).items() if name.startswith("f")}
    path = written(tmp_path / "training.csv", columns)
    traffic = judging(build(path, Layout(features=LAYOUT.features), RECIPE), Traffic())
    for i in range(20):
        columns = features(rng, 250, 3)
        columns["latency"] = columns["latency"] * (8 if i >= 10 else 1)
        columns["confidence"] = columns["confidence"] * (0.5 if i >= 10 else 1)
        traffic.send(columns)
    assert {signal.subject for signal in traffic.raised} == {"latency", "confidence"}


def test_a_running_monitor_changes_over_and_clears_what_stood(built: Reference) -> None:
    """What was learnt of bad first rows is dropped: rows go on counting, and the signal against them is cleared."""
    rng = np.random.default_rng(3)
    traffic = Traffic()
    for i in range(20):
        columns = features(rng, 250, 3)
        columns["f0"] = columns["f0"] + (9 if i < 9 else 0)
        traffic.send(columns)
    assert traffic.standing
    before = traffic.observed[-1].rows
    judging(built, traffic).run(features(rng, 250, 3) for _ in range(8))
    assert not traffic.standing
    assert traffic.observed[-1].rows == before + 8 * 250


def test_a_profile_says_what_is_wrong_with_its_rows(tmp_path: Path) -> None:
    """Nulls, a constant, a stuck sensor, a gap, a season, twins and a group's standing gap are told; order is not."""
    rng = np.random.default_rng(4)
    rows = 4000
    at = np.arange(rows) * 300
    at[2000:] += 100_000
    columns: dict[str, Any] = {
        "at": 1_700_000_000 + at,
        "daily": np.sin(at / 86400 * 2 * np.pi) + rng.normal(0, 0.3, rows),
        "flat": np.ones(rows),
        "stuck": rng.normal(size=rows),
        "moved": rng.normal(size=rows) + (np.arange(rows) > 2000),
        "holes": [("" if hole else "1.5") for hole in rng.random(rows) < 0.1],
        "sex": np.where(rng.random(rows) < 0.5, "f", "m"),
    }
    columns["stuck"][100:300] = 0.25
    columns["twin"] = 3 * columns["moved"] + 1
    columns["said"] = np.where(rng.random(rows) < np.where(columns["sex"] == "f", 0.4, 0.2), "yes", "no")
    shuffled = rng.permutation(rows)
    path = written(tmp_path / "t.csv", {name: np.asarray(values)[shuffled] for name, values in columns.items()})
    named = ("daily", "flat", "stuck", "moved", "holes", "twin")
    known = build(path, Layout(features=named, time="at", prediction="said", groups=("sex",)), RECIPE)
    found = {(finding.kind, finding.subject) for finding in known.findings}
    assert found >= {
        ("order", "time"),
        ("missing", "holes"),
        ("constant", "flat"),
        ("stuck", "stuck"),
        ("gap", "time"),
        ("season", "daily"),
        ("halves", "moved"),
        ("alike", "moved, twin"),
        ("group_gap", "outcome by sex"),
    }
    assert ("stuck", "moved") not in found
    ((gap, told),) = [(one.value, one.summary) for one in known.findings if one.kind == "standing_gap"]
    assert gap == pytest.approx(0.2, abs=0.05)
    assert "selection" in told
    assert "95 % interval" in told
    assert {one["name"] for one in document(known, b"")["columns"]} == {*named, "prediction"}


def test_a_backtest_judges_against_a_profile(built: Reference, tmp_path: Path) -> None:
    """Rows that are shifted from the first one on are found, which their own first rows could not tell."""
    columns = features(np.random.default_rng(7), 1500, 3)
    columns["f2"] = columns["f2"] + 12
    table = written(tmp_path / "t.csv", columns)
    path = tmp_path / "m.hgp"
    path.write_bytes(reference.written(built))
    document = POLICY
    judged = [Judged(policy.read(document), digest(document))]
    for normal, found in ((path, {"f2"}), (None, set())):
        trial = run(table, LAYOUT, judged, Systems(version=1), normal).trials[0]
        assert {signal.raised.subject for signal in trial.signals if signal.raised.category == "data_drift"} == found


def test_a_file_that_is_no_profile_is_refused(built: Reference, tmp_path: Path) -> None:
    """Other bytes, cut bytes, too many bytes, too few rows, and parts that do not fit are refused in one sentence."""
    data = reference.written(built)
    for wrong in (b"", b"MZ", data[:-9], data + b"x", b"x" * 2_000_000):
        with pytest.raises(SchemaError):
            reference.read(wrong)
    columns = {name: values[:150] for name, values in features(np.random.default_rng(0), ROWS, 3).items()}
    with pytest.raises(SchemaError, match="learnt from 200 at least"):
        build(written(tmp_path / "few.csv", columns), LAYOUT, RECIPE)
    assert built.learnt.profile is not None
    broken = replace(built.learnt, profile=replace(built.learnt.profile, edges=b"12345678"))
    with pytest.raises(SchemaError):
        reference.try_out(replace(built, learnt=broken))
