"""Fairness: a gap between groups that the reference did not have is raised; a standing one, or chance, is not."""

from typing import Any

import numpy as np
import pytest

from agents.detection.columns import decode
from agents.detection.detectors.catalogue import Setting, make
from agents.detection.detectors.fairness import Fairness
from agents.detection.detectors.intervals import newcombe, wilson
from agents.detection.sample import Sample
from schemas.label_thresholds import Fairness as FairnessPolicy
from schemas.telemetry import LabelBatch
from schemas.thresholds import Thresholds
from schemas.values import Category
from tests.traffic import START, Traffic, batch, column, labelled

ROWS = 8000


def fed(columns: dict[str, Any], policy: Thresholds | None = None, step: int = 400) -> tuple[list[Any], Fairness]:
    """Return what is raised after each part of the rows, and the detector; other columns than prediction are groups."""
    detector = make("fairness", Setting(thresholds=policy or Thresholds()))
    assert isinstance(detector, Fairness)
    answers = []
    for first in range(0, ROWS, step):
        part = {name: values[first : first + step] for name, values in columns.items()}
        made = {name: column(name, values, _role(name)) for name, values in part.items()}
        rows = decode(batch(made, first))
        at = np.arange(first, first + rows.rows)
        detector.update(Sample(rows=rows.rows, at_from=first, at_to=first, source=rows, times=at))
        answers.append(detector.levels())
    return answers, detector


def _role(name: str) -> str:
    return name if name == "prediction" else "group"


def people(rng: np.random.Generator, small: float = 0.3) -> list[str]:
    """Return groups: the small one, and the other."""
    return np.where(rng.random(ROWS) < small, "f", "m").tolist()


def chosen(rng: np.random.Generator, share: Any) -> list[str]:
    """Return predictions, favourable at a share."""
    return np.where(rng.random(ROWS) < share, "yes", "no").tolist()


@pytest.mark.parametrize("seed", range(3))
def test_a_standing_gap_is_a_finding_and_no_signal(seed: int) -> None:
    """One group is chosen half as often from the first row on: nothing is raised, and the report names it."""
    rng = np.random.default_rng(seed)
    sex = people(rng)
    answers, detector = fed({"prediction": chosen(rng, np.where(np.array(sex) == "f", 0.2, 0.4)), "sex": sex})
    assert not any(answers)
    ((gap, finding),) = detector.standing()
    assert 0.1 <= gap < 0.3
    assert "sex=f" in finding
    assert "95 % interval" in finding


def test_a_new_gap_in_selection_is_raised_with_ratio_and_interval() -> None:
    """The share of one group falls from .4 to .1: its selection rate is below four fifths of the others'."""
    rng = np.random.default_rng(1)
    sex = people(rng)
    late = np.arange(ROWS) >= 5000
    answers, _ = fed({"prediction": chosen(rng, np.where(late & (np.array(sex) == "f"), 0.1, 0.4)), "sex": sex})
    assert not any(answers[:12])
    first = next(i for i, answer in enumerate(answers) if answer)
    assert first * 400 + 400 <= 6600
    found = {level.subject: level for level in answers[first]}
    level = found["sex=f"]
    assert (level.category, level.statistic) == (Category.FAIRNESS, "selection_rate_difference")
    assert "ratio 0.2" in level.note


@pytest.mark.parametrize("seed", range(6))
def test_small_groups_and_many_are_not_raised_by_chance(seed: int) -> None:
    """Groups of half a percent to a tenth, forty of them, and their crossings: nothing in 8,000 rows."""
    rng = np.random.default_rng(seed)
    codes = rng.choice(40, ROWS, p=rng.dirichlet(np.full(40, 0.7)))
    columns = {"prediction": chosen(rng, 0.3), "town": [f"t{code}" for code in codes], "sex": people(rng)}
    answers, detector = fed(columns)
    assert not any(answers)
    assert len(detector.state()) < 40_000


def test_a_crossing_of_groups_is_judged_as_well() -> None:
    """Only young women are turned down: their crossing is raised, whatever becomes of the parts."""
    rng = np.random.default_rng(3)
    sex, age = people(rng, 0.5), np.where(rng.random(ROWS) < 0.5, "young", "old").tolist()
    hit = (np.array(sex) == "f") & (np.array(age) == "young") & (np.arange(ROWS) >= 4000)
    answers, _ = fed({"prediction": chosen(rng, np.where(hit, 0.02, 0.4)), "sex": sex, "age": age})
    assert not any(answers[:10])
    assert "age=young and sex=f" in {level.subject for level in answers[-1]}


def test_policy_names_the_favourable_outcome_and_the_groups() -> None:
    """A named outcome has one direction: being chosen more often than before is no disadvantage."""
    rng = np.random.default_rng(6)
    sex = people(rng)
    more = (np.arange(ROWS) >= 4000) & (np.array(sex) == "f")
    columns = {"prediction": chosen(rng, np.where(more, 0.8, 0.3)), "sex": sex}
    named = Thresholds(fairness=FairnessPolicy(favourable="yes"))
    assert {level.subject for level in fed(columns, named)[0][-1]} == {"sex=m"}
    assert {level.subject for level in fed(columns)[0][-1]} == {"sex=f"}
    others = Thresholds(fairness=FairnessPolicy(groups=("age",)))
    assert fed(columns, others)[0][-1] == []


def test_numbers_are_favourable_above_the_median_and_classes_of_three_have_no_selection() -> None:
    """A score has no classes: a high one is favourable; of three classes none is, until policy names one."""
    rng = np.random.default_rng(8)
    sex = people(rng)
    worse = (np.arange(ROWS) >= 4000) & (np.array(sex) == "f")
    scores = rng.normal(0, 1, ROWS) - 2 * worse
    assert "sex=f" in {level.subject for level in fed({"prediction": scores, "sex": sex})[0][-1]}
    three = np.where(worse, 0, rng.integers(0, 3, ROWS))
    assert fed({"prediction": three, "sex": sex})[0][-1] == []
    named = Thresholds(fairness=FairnessPolicy(favourable="2"))
    assert {level.subject for level in fed({"prediction": three, "sex": sex}, named)[0][-1]} == {"sex=f"}


def test_nothing_depends_on_how_rows_were_batched() -> None:
    """Seventeen rows at a time or two thousand: the same state."""
    rng = np.random.default_rng(2)
    columns = {"prediction": chosen(rng, 0.4), "sex": people(rng), "age": people(rng, 0.5)}
    assert len({fed(columns, step=step)[1].state() for step in (170, 500, 2000)}) == 1


def test_wrong_predictions_of_one_group_are_a_fault_of_fairness_alone() -> None:
    """Half of one group's predictions are turned around: fairness is raised, and performance says nothing beside it."""
    rng = np.random.default_rng(11)
    traffic = Traffic()
    for i in range(40):
        truth = np.where(rng.random(250) < 0.4, "yes", "no")
        wrong = rng.random(250) < 0.1
        sex = np.where(rng.random(250) < 0.4, "f", "m")
        if i >= 24:
            wrong |= (sex == "f") & (rng.random(250) < 0.5)
        made = np.where(wrong, np.where(truth == "yes", "no", "yes"), truth)
        ids = [f"{i}-{n}" for n in range(250)]
        columns = {"prediction_id": ids, "prediction": made.tolist(), "f0": rng.normal(size=250)}
        traffic.send(columns | {"sex": column("sex", sex.tolist(), "group")})
        at = (START + traffic.offset * 1000,) * 250
        labels = tuple(truth.tolist())
        traffic.hand(
            LabelBatch(model="m", source="t", first_position=i * 250, prediction_ids=tuple(ids), labels=labels, at=at)
        )
    assert {signal.category for signal in traffic.raised} == {Category.FAIRNESS}
    assert "sex=f" in {signal.subject for signal in traffic.raised}


def test_numbers_that_are_far_off_for_one_group_are_a_fault_of_fairness() -> None:
    """Residuals of one group are four times as large: more of its predictions are far off than of the others'."""
    rng = np.random.default_rng(12)
    groups = (rng.random(8000) < 0.3).astype(np.int64)
    residuals = abs(rng.normal(0, 1, 8000)) * np.where((groups == 0) & (np.arange(8000) >= 5000), 4, 1)
    detector = make("fairness", Setting(thresholds=Thresholds()))
    raised = []
    for first in range(0, 8000, 250):
        part = slice(first, first + 250)
        names = (("sex=f",), ("sex=m",))
        detector.update(labelled(residuals=residuals[part], groups=groups[part], combinations=names))
        raised.append([level.subject for level in detector.levels()])
    assert not any(raised[:20])
    assert set(raised[-1]) == {"sex=f"}


def test_intervals_are_those_of_the_literature() -> None:
    """Wilson's of 15 of 148 and Newcombe's of 56/70 against 48/80 (Newcombe, 1998, tables of method 10)."""
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-4)
    assert newcombe((56, 70), (48, 80)) == pytest.approx((0.0524, 0.3339), abs=5e-4)


def test_a_rare_outcome_withheld_from_one_group_is_a_fault_of_fairness() -> None:
    """Of an outcome that one row in sixteen deserves, one group gets none any more: its true positive rate is 0."""
    rng = np.random.default_rng(3)
    groups = (rng.random(14_000) < 0.4).astype(np.int64)
    deserved = (rng.random(14_000) < 0.06).astype(np.int64)
    given = np.where(rng.random(14_000) < 0.03, 1 - deserved, deserved)
    given[(np.arange(14_000) >= 8000) & (groups == 1)] = 0
    policy = Thresholds(fairness=FairnessPolicy(favourable="yes"))
    detector = make("fairness", Setting(thresholds=policy))
    answers = []
    for first in range(0, 14_000, 250):
        part = slice(first, first + 250)
        columns = {"predicted": given[part], "labelled": deserved[part], "groups": groups[part]}
        errors = given[part] != deserved[part]
        detector.update(labelled(errors, classes=("no", "yes"), combinations=(("sex=m",), ("sex=f",)), **columns))
        answers.append({(level.subject, level.statistic) for level in detector.levels()})
    assert not any(answers[:32])
    assert answers[-1] == {("sex=f", "true_positive_rate_difference")}
