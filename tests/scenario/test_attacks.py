"""Each attack as an attacker would make it: telemetry into detection, and the technique it suspects."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from schemas.atlas import TECHNIQUES
from schemas.signals import SignalRaised
from schemas.telemetry import ScoreBatch
from schemas.thresholds import Attacks, Thresholds
from schemas.values import Category
from tests.traffic import START, Traffic, column

SIZE = 250
FEATURES = 6
Columns = dict[str, Any]
Attack = Callable[[np.random.Generator, Columns], None]


def served(rng: np.random.Generator, first: int, per_second: float = 50.0) -> Columns:
    """Return rows of fifty callers and their model, which is unsure near its boundary; `first` is the first's time."""
    made: Columns = {f"f{i}": rng.normal(i, 1 + i, SIZE) for i in range(FEATURES)}
    made["caller"] = column("caller", [f"c{n}" for n in rng.integers(0, 50, SIZE)], "caller")
    made["cost"] = column("cost", rng.lognormal(0, 0.3, SIZE), "cost")
    made["at"] = (first + np.arange(SIZE) * 1000 / per_second).astype(np.int64)
    answered(made)
    return made


def answered(columns: Columns) -> None:
    """Let the model predict: the sign of the first two features' sum, unsure where it is near zero."""
    margin = columns["f0"] + (columns["f1"] - 1) / 2
    columns["prediction"] = np.where(margin > 0, "yes", "no").tolist()
    columns["confidence"] = 1 / (1 + np.exp(-np.abs(margin) * 3))


def mixed(columns: Columns, chosen: np.ndarray[Any, Any], caller: str, **features: Any) -> None:
    """Replace the chosen rows' features, and let one caller have sent them."""
    for name, values in features.items():
        columns[name] = np.where(chosen, values, columns[name])
    named = ["" if bad else f"c{n % 50}" for n, bad in enumerate(chosen.tolist())]
    columns["caller"] = column("caller", [name or caller for name in named], "caller")
    answered(columns)


def grid(rng: np.random.Generator, columns: Columns) -> None:
    """Extract: one caller walks along one axis after another, half of all rows."""
    chosen = np.arange(SIZE) < SIZE // 2
    walk = {f"f{i}": np.zeros(SIZE) for i in range(FEATURES)}
    walk["f1"] = walk["f1"] + 1
    axis = f"f{rng.integers(0, FEATURES)}"
    walk[axis] = np.linspace(-3, 3, SIZE)
    mixed(columns, chosen, "thief", **walk)


def boundary(rng: np.random.Generator, columns: Columns) -> None:
    """Extract: one caller asks only where the model is unsure."""
    chosen = rng.random(SIZE) < 0.5
    mixed(columns, chosen, "thief", f0=-(columns["f1"] - 1) / 2 + rng.normal(0, 0.05, SIZE))


def perturbed(rng: np.random.Generator, columns: Columns) -> None:
    """Evade: tiny steps around a point of the boundary until the prediction flips, a third of all rows."""
    chosen = rng.random(SIZE) < 0.33
    near = {f"f{i}": 0.01 + i + rng.normal(0, 0.002 * (1 + i), SIZE) for i in range(FEATURES)}
    mixed(columns, chosen, "mallory", **{**near, "f0": rng.normal(0.05, 0.04, SIZE)})


def crafted(rng: np.random.Generator, columns: Columns) -> None:
    """Evade: rows far from everything, a third of all, are predicted with full confidence."""
    chosen = rng.random(SIZE) < 0.3
    far = {f"f{i}": i + rng.choice((-2.5, 2.5), SIZE) * (1 + i) for i in range(FEATURES)}
    mixed(columns, chosen, "c7", **far)


def costly(rng: np.random.Generator, columns: Columns) -> None:
    """Harvest costs: prompts as long as can be."""
    columns["cost"] = column("cost", rng.lognormal(2.5, 0.3, SIZE), "cost")


def teach(columns: Columns, labels: list[str]) -> None:
    """Let the rows carry labels for a model that learns online."""
    columns["label"] = column("label", labels, "label")


def contradicted(_rng: np.random.Generator, columns: Columns) -> None:
    """Poison: pairs of one row with both labels."""
    for i in range(FEATURES):
        columns[f"f{i}"][:50:2] = columns[f"f{i}"][1:50:2]
    labels = list(columns["prediction"])
    labels[:50] = ["yes", "no"] * 25
    teach(columns, labels)


def repeated(_rng: np.random.Generator, columns: Columns) -> None:
    """Poison: two of five rows are one and the same."""
    for i in range(FEATURES):
        columns[f"f{i}"][:100] = 0.3 + i
    answered(columns)
    teach(columns, list(columns["prediction"]))


def flipped(_rng: np.random.Generator, columns: Columns) -> None:
    """Poison: where f3 is high, the labels are turned."""
    teach(columns, turned(columns, columns["f3"] > np.quantile(columns["f3"], 0.9)))


def turned(columns: Columns, chosen: np.ndarray[Any, Any]) -> list[str]:
    """Return the predictions as labels, turned in the chosen rows."""
    both = {"yes": "no", "no": "yes"}
    return [both[p] if bad else p for p, bad in zip(columns["prediction"], chosen.tolist(), strict=True)]


ATTACKS: dict[str, tuple[Attack, str, str]] = {
    "extraction by a grid": (grid, "AML.T0024.002", "steps"),
    "extraction by one caller near the boundary": (boundary, "AML.T0024.002", "caller_share"),
    "evasion by small steps": (perturbed, "AML.T0015", "flips"),
    "evasion by crafted inputs": (crafted, "AML.T0015", "confident_outliers"),
    "cost harvesting": (costly, "AML.T0034.001", "cost_per_request"),
    "contradicting feedback": (contradicted, "AML.T0020", "contradictions"),
    "one row over and over": (repeated, "AML.T0059", "repeats"),
    "turned labels": (flipped, "AML.T0020", "label_flips"),
}


class Rehearsal:
    """Traffic by the clock, honest until an attack."""

    def __init__(self, policy: Thresholds | None = None, *, teaching: bool = False) -> None:
        self.traffic = Traffic(policy or Thresholds())
        self.rng = np.random.default_rng(7)
        self._now = float(START)
        self._teaching = teaching

    def send(self, batches: int, attack: Attack | None = None, per_second: float = 50.0) -> list[SignalRaised]:
        """Send batches, and return the attacks that were raised since."""
        before = len(self.traffic.raised)
        for _ in range(batches):
            columns = served(self.rng, int(self._now), per_second)
            self._now += SIZE * 1000 / per_second
            if self._teaching:
                teach(columns, turned(columns, self.rng.random(SIZE) < 0.02))
            if attack is not None:
                attack(self.rng, columns)
            body = self.traffic.batch(columns)
            self.traffic.hand(body, int(self._now))
        return [signal for signal in self.traffic.raised[before:] if signal.category is Category.ATTACK]


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_suspected_by_its_technique_and_no_longer_after_it(name: str) -> None:
    """Honest traffic raises no attack; the attack is raised with its ATLAS id, and cleared when it is over."""
    attack, technique, statistic = ATTACKS[name]
    rehearsal = Rehearsal(teaching="feedback" in name or "row" in name or "labels" in name)
    assert rehearsal.send(60) == []
    found = {(signal.statistic, signal.technique): signal for signal in rehearsal.send(24, attack)}
    assert (statistic, technique) in found, sorted(found)
    signal = found[statistic, technique]
    assert TECHNIQUES[technique].name in signal.summary
    assert "confidence 0." in signal.summary
    rehearsal.send(32)
    assert not [standing for standing in rehearsal.traffic.standing if statistic in standing]


def test_a_flood_is_told_from_a_short_burst() -> None:
    """Forty times the usual rate for seven seconds is denial of service; for half a second it is nothing."""
    rehearsal = Rehearsal()
    rehearsal.send(24)
    assert rehearsal.send(4, per_second=2000) == []
    rehearsal.send(8)
    found = rehearsal.send(60, per_second=2000)
    assert {(s.subject, s.technique) for s in found} >= {("requests", "AML.T0029")}
    assert {s.technique for s in found} <= {"AML.T0029", "AML.T0034.000"}


def test_one_caller_who_floods_is_named() -> None:
    """Whoever sends most of a flood is the signal's subject."""

    def one(_rng: np.random.Generator, columns: Columns) -> None:
        columns["caller"] = column("caller", ["bot"] * SIZE, "caller")

    rehearsal = Rehearsal()
    rehearsal.send(24)
    assert "caller bot" in {signal.subject for signal in rehearsal.send(60, one, per_second=2000)}


def test_a_flood_without_callers_or_times_needs_more() -> None:
    """Without a caller column ten times the rate is no flood and thirty is; without times nothing is."""

    def anonymous(_rng: np.random.Generator, columns: Columns) -> None:
        del columns["caller"], columns["cost"]

    def timeless(rng: np.random.Generator, columns: Columns) -> None:
        anonymous(rng, columns)
        del columns["at"]

    rehearsal = Rehearsal()
    rehearsal.send(24, anonymous)
    assert rehearsal.send(60, anonymous, per_second=600) == []
    rehearsal.send(8, anonymous)
    assert rehearsal.send(60, anonymous, per_second=2000)
    rehearsal = Rehearsal()
    rehearsal.send(24, timeless)
    assert rehearsal.send(60, timeless, per_second=20_000) == []


@pytest.mark.parametrize(("judge", "technique"), [("injection", "AML.T0051"), ("jailbreak", "AML.T0054")])
def test_a_judge_that_policy_names_speaks_of_its_technique(judge: str, technique: str) -> None:
    """Scores of a judge of prompt injection are an attack with its technique, not unsafe output."""
    policy = Thresholds(attacks=Attacks(judges={judge: technique}))
    traffic, rng = Traffic(policy), np.random.default_rng(1)
    for number in range(12):
        scores = rng.beta(1, 12, 200) if number < 8 else rng.beta(6, 3, 200) * 0.85
        ids = tuple(f"{number}-{i}" for i in range(200))
        traffic.hand(
            ScoreBatch(
                model="m",
                version="1",
                instance="a",
                judge=judge,
                prediction_ids=ids,
                at=(START,) * 200,
                scores=tuple(scores.tolist()),
            )
        )
    assert {(signal.category, signal.technique) for signal in traffic.raised} == {(Category.ATTACK, technique)}
