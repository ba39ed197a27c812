"""Performance: errors and residuals of labels that came, against what their own windows have shown before."""

from typing import Any

import numpy as np
import pytest

from agents.detection.detectors.catalogue import Setting, make
from schemas.label_thresholds import Labels
from schemas.label_thresholds import Performance as PerformancePolicy
from schemas.thresholds import Thresholds
from schemas.values import Category
from tests.traffic import labelled

COMBINATIONS = (("sex=f",), ("sex=m",))


def fed(errors: Any = None, step: int = 250, policy: Thresholds | None = None, **columns: Any) -> tuple[list[Any], Any]:
    """Return what is raised after each batch of labels, and the detector."""
    detector = make("error" if errors is not None else "residual", Setting(thresholds=policy or Thresholds()))
    count = len(errors if errors is not None else columns["residuals"])
    answers = []
    for first in range(0, count, step):
        part = slice(first, first + step)
        given = {name: values[part] if isinstance(values, np.ndarray) else values for name, values in columns.items()}
        detector.update(labelled(None if errors is None else errors[part], **given))
        answers.append(detector.levels())
    return answers, detector


def wandering(rng: np.random.Generator, windows: int) -> Any:
    """Return error bits whose share wanders between a tenth and a third, as that of real streams does."""
    shares = 0.2 + 0.1 * np.sin(np.arange(windows) * 1.7) + rng.normal(0, 0.02, windows)
    return rng.random(windows * 200) < np.repeat(shares, 200)


@pytest.mark.parametrize("seed", range(4))
def test_an_error_share_that_wanders_by_itself_raises_nothing(seed: int) -> None:
    """Sixty windows between 8 and 32 % wrong: nothing, although a binomial test against their mean rejects many."""
    answers, _ = fed(wandering(np.random.default_rng(seed), 60))
    assert not any(answers)


def slowly(rng: np.random.Generator, windows: int, spread: float, phi: float = 0.9) -> Any:
    """Return a number a window that depends on the one before, of such a spread."""
    moved = rng.normal(0, spread * np.sqrt(1 - phi**2), windows)
    for i in range(1, windows):
        moved[i] += phi * moved[i - 1]
    return moved


@pytest.mark.parametrize(("usual", "spread"), [(0.3, 0.2), (0.2, 0.4)])
def test_an_error_share_that_wanders_slowly_raises_nothing(usual: float, spread: float) -> None:
    """A thousand windows whose odds depend on those of the window before: twenty of them never show how far they go."""
    rng = np.random.default_rng(11)
    odds = usual / (1 - usual) * np.exp(slowly(rng, 1000, spread))
    answers, _ = fed(rng.random(200_000) < np.repeat(odds / (1 + odds), 200), step=200)
    assert not any(answers)


def test_residuals_that_depend_on_the_one_before_raise_nothing() -> None:
    """Errors of a forecast of φ = .98, label by label, come in long waves; no wave is a fault."""
    rng = np.random.default_rng(2)
    residuals = abs(slowly(rng, 160_000, 1.0, phi=0.98))
    answers, _ = fed(residuals=residuals, step=200)
    assert not any(answers)


@pytest.mark.parametrize("share", [0.55, 0.8])
def test_a_bug_is_raised_within_two_windows_with_its_interval(share: float) -> None:
    """Wrong predictions above all that the windows before reached are a fault of performance; the interval is said."""
    rng = np.random.default_rng(5)
    bits = np.concatenate([wandering(rng, 20), rng.random(600) < share])
    answers, _ = fed(bits, step=200)
    assert not any(answers[:21])
    (level,) = answers[21]
    assert (level.category, level.statistic, level.subject) == (Category.PERFORMANCE, "share", "error")
    assert level.value == pytest.approx(share, abs=0.1)
    assert "95 % interval" in level.note


def test_a_slow_rot_is_raised_against_the_first_labels() -> None:
    """Errors that rise by half a point a window are never sudden, and still raised once policy's bound is passed."""
    rng = np.random.default_rng(2)
    shares = np.repeat(np.minimum(0.1 + np.arange(140) * 0.005, 0.6), 200)
    answers, _ = fed(rng.random(len(shares)) < shares, step=200)
    raised = [(i, level.baseline) for i, answer in enumerate(answers) for level in answer]
    assert raised
    assert raised[0][1] == "reference"
    assert shares[raised[0][0] * 200] > 0.4


def test_one_wild_residual_is_not_a_fault_and_a_doubled_error_is() -> None:
    """A label of 1e300 is clipped; residuals twice as large are raised within two windows."""
    rng = np.random.default_rng(1)
    residuals = abs(rng.normal(0, 1, 6000))
    residuals[3000] = 1e300
    residuals[4000:] *= 2
    answers, _ = fed(None, step=200, residuals=residuals)
    assert not any(answers[:20])
    assert answers[21][0].subject == "residual"


def test_a_rise_that_one_group_explains_is_left_to_fairness_for_a_while() -> None:
    """Where only one group's predictions are wrong, performance speaks only after fairness had its windows."""
    rng = np.random.default_rng(4)
    groups = rng.integers(0, 2, 6000)
    rows = np.arange(6000)
    bits = rng.random(6000) < np.where((rows >= 3000) & (groups == 0), 0.6, 0.1)
    answers, _ = fed(bits, step=200, groups=groups, combinations=COMBINATIONS)
    assert not any(answers[:19])
    assert any(answers[20:23])
    everywhere = rng.random(6000) < np.where(rows >= 3000, 0.35, 0.1)
    answers, _ = fed(everywhere, step=200, groups=groups, combinations=COMBINATIONS)
    assert answers[16] != []


def test_nothing_depends_on_how_labels_were_batched() -> None:
    """Seven labels at a time or a thousand: the same state, residuals and groups included."""
    rng = np.random.default_rng(9)
    residuals, groups = abs(rng.normal(0, 1, 3000)), rng.integers(0, 2, 3000)
    states = {
        fed(None, step=step, residuals=residuals, groups=groups, combinations=COMBINATIONS)[1].state()
        for step in (7, 200, 1000)
    }
    assert len(states) == 1


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("windows", [20, 33, 60])
def test_a_rise_of_all_groups_waits_for_no_fairness_however_long_they_were_watched(windows: int, seed: int) -> None:
    """Where every group is wrong more often, the rise is raised at its second window, after few windows or many."""
    rng = np.random.default_rng(seed)
    bits = np.concatenate([rng.random(windows * 200) < 0.15, rng.random(1200) < 0.5])
    groups = (rng.random(len(bits)) < 0.4).astype(np.int64)
    answers, _ = fed(bits, step=200, groups=groups, combinations=COMBINATIONS)
    assert not any(answers[: windows + 1])
    assert all(answers[windows + 1 :])


def test_what_is_raised_stands_until_half_of_the_rise_is_gone() -> None:
    """A rot that improves to just below its bound is no new fault when it passes the bound again."""
    rng = np.random.default_rng(6)
    shares = np.repeat([0.1] * 20 + [0.6] * 8 + [0.45] * 8 + [0.6] * 8 + [0.1] * 8, 200)
    answers, _ = fed(rng.random(len(shares)) < shares, step=200)
    slow = [any(level.baseline == "reference" for level in answer) for answer in answers]
    assert sum(now and not before for before, now in zip([False, *slow], slow, strict=False)) == 1
    assert slow[43]
    assert not slow[-1]


def test_labels_of_rows_that_the_model_was_fitted_to_do_not_make_the_next_ones_a_fault() -> None:
    """A model that knew its reference by heart errs more from there on: that is learnt, and a bug still found."""
    rng = np.random.default_rng(8)
    shares = np.repeat([0.02] * 10 + [0.2] * 20 + [0.5] * 4, 200)
    known = Thresholds(performance=PerformancePolicy(fitted_rows=2000))
    bits = rng.random(len(shares)) < shares
    assert any(fed(bits, step=200)[0][13])
    answers, _ = fed(bits, step=200, policy=known)
    assert not any(answers[:30])
    assert answers[32]


@pytest.mark.parametrize("seed", range(3))
def test_a_rise_that_no_window_is_sure_of_is_raised_by_several_together(seed: int) -> None:
    """A weak model's errors rise from .27 to .4, within a window's noise; eight windows later it is raised, dated."""
    rng = np.random.default_rng(seed)
    bits = rng.random(8000) < np.where(np.arange(8000) < 5000, 0.27, 0.4)
    detector = make("error", Setting(thresholds=Thresholds()))
    answers = []
    for first in range(0, 8000, 200):
        detector.update(labelled(bits[first : first + 200], at=np.arange(first, first + 200)))
        answers.append(detector.levels())
    assert not any(answers[:25])
    assert all(answers[33:])
    assert 4400 <= answers[33][0].first_bad_at <= 5400


def test_numbers_that_are_a_little_further_off_for_long_are_raised() -> None:
    """Residuals that grow by two fifths are never sudden among their noise, and are raised after some windows."""
    rng = np.random.default_rng(3)
    residuals = abs(rng.standard_t(3, 8000)) * np.where(np.arange(8000) < 5000, 1, 1.6)
    answers, _ = fed(residuals=residuals, step=200)
    assert not any(answers[:25])
    assert answers[34]


def test_policy_says_which_windows_are_looked_at_together_and_other_ones_forget_how_far_the_first_were() -> None:
    """Where policy names no windows, a rise that none of them is sure of stays unseen; a state of other ones loads."""
    rng = np.random.default_rng(0)
    bits = rng.random(8000) < np.where(np.arange(8000) < 5000, 0.27, 0.4)
    alone = Thresholds(performance=PerformancePolicy(together=()))
    answers, detector = fed(bits, step=200, policy=alone)
    assert not any(answers)
    others = make("error", Setting(thresholds=Thresholds()))
    others.restore(detector.state())
    others.update(labelled(bits[-400:]))
    assert not others.levels()


@pytest.mark.parametrize(("name", "seen"), [("error", 1100), ("residual", 1100), ("residual", 150)])
def test_a_policy_of_shorter_windows_goes_on_where_the_longer_one_was(name: str, seen: int) -> None:
    """As many labels as a window of the new policy has are judged with the next; more than it teaches by are enough."""
    rng = np.random.default_rng(7)

    def given(rows: int, worse: int = 1) -> Any:
        if name == "error":
            return labelled(rng.random(rows) < 0.1 * worse)
        return labelled(residuals=abs(rng.normal(size=rows)) * worse)

    before = make(name, Setting(thresholds=Thresholds()))
    before.update(given(seen))
    after = make(name, Setting(thresholds=Thresholds(labels=Labels(window=100))))
    after.restore(before.state())
    for _ in range(20):
        after.update(given(100))
    assert after.levels() == []
    for _ in range(8):
        after.update(given(100, worse=6))
    assert after.levels() != []
