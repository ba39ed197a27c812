"""What each fault of a drill does, and that it does nothing else."""

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from agents.drills import faults, formula
from schemas.drill_faults import Fault
from schemas.drill_models import Served

SERVED = Served.model_validate(
    {
        "outcomes": ["deny", "grant"],
        "features": {
            "age": {"mean": 60, "sd": 15, "weight": 1.2},
            "cost": {"mean": 900, "sd": 400, "skewed": True, "weight": -0.7},
            "ward": {"values": {"a": 0.5, "b": 0.3, "c": 0.2}, "weight": 0.4},
        },
        "groups": {"sex": {"f": 0.45, "m": 0.55}},
        "judges": ["toxicity", "leak"],
    }
)
ROWS = 4000
_FAULT: TypeAdapter[Fault] = TypeAdapter(Fault)


def fault(kind: str, **fields: Any) -> Fault:
    """Return a fault of the model m."""
    made = _FAULT.validate_python({"kind": kind, "model": "m", **fields})
    made.require(SERVED)
    return made


def dice() -> np.random.Generator:
    """Return dice that always throw the same."""
    return np.random.default_rng(5)


def columns() -> formula.Columns:
    """Draw inputs."""
    return formula.draw(SERVED, ROWS, {}, np.random.default_rng(1))


def same(one: formula.Cells, other: formula.Cells) -> bool:
    """Whether two columns are equal."""
    return bool(np.array_equal(np.asarray(one, dtype=object), np.asarray(other, dtype=object)))


PIPELINES = [
    (fault("units", feature="age", factor=12.0, offset=1.0), {"age"}),
    (fault("stuck", feature="cost", value=3.0), {"cost"}),
    (fault("stuck", feature="ward", value="a"), {"ward"}),
    (fault("missing", feature="age", share=0.3), {"age"}),
    (fault("missing", feature="ward", share=0.3), {"ward"}),
    (fault("swapped", features=["age", "ward"]), {"age", "ward"}),
]
OTHERS = [
    fault("population", feature="age", by=2.0),
    fault("concept", share=0.5),
    fault("bias", group="sex", value="f", outcome="deny"),
    fault("poisoned", feature="cost", above=0.75),
    fault("unsafe", judge="toxicity", share=0.4),
    fault("replaced", factor=-0.6, shift=0.8),
    fault("slow", by_ms=100),
    fault("failing", share=0.2),
    fault("extraction"),
]


@pytest.mark.parametrize(("broken", "touched"), PIPELINES, ids=lambda given: getattr(given, "kind", ""))
def test_a_pipeline_breaks_its_own_inputs(broken: Fault, touched: set[str]) -> None:
    """The inputs that the fault names arrive otherwise, all others as they were."""
    before = columns()
    after = faults.fed(before, [broken], dice())
    assert {name for name in before if not same(before[name], after[name])} == touched
    assert list(after) == list(before)


def test_pipelines_do_what_they_say() -> None:
    """A unit is a factor and an offset, a stuck value is one value, a share is missing, two inputs change places."""
    before = columns()
    units, stuck, _, gone, _, swapped = (faults.fed(before, [broken], dice()) for broken, _ in PIPELINES)
    assert np.allclose(units["age"], np.asarray(before["age"]) * 12 + 1)
    assert set(stuck["cost"]) == {3.0}
    assert np.isnan(np.asarray(gone["age"], dtype=float)).mean() == pytest.approx(0.3, abs=0.03)
    assert swapped["age"] is before["ward"]


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: other.kind)
def test_no_other_fault_touches_what_the_model_is_fed(other: Fault) -> None:
    """Faults of life, of versions and of instances leave the pipeline alone."""
    before = columns()
    after = faults.fed(before, [other], dice())
    assert all(after[name] is before[name] for name in before)


@pytest.mark.parametrize("other", [*OTHERS, *(broken for broken, _ in PIPELINES)], ids=lambda other: other.kind)
def test_each_place_is_broken_by_its_own_faults_alone(other: Fault) -> None:
    """What is asked, true, answered, said, judged and late changes with the faults that speak of it, and no other."""
    before = columns()
    likely = formula.chance(SERVED, before)
    groups = formula.draw_groups(SERVED, ROWS, dice())
    true = formula.truth(likely, dice())
    callers = ["c"] * ROWS
    asked = faults.asked(SERVED, before, [other])
    walked, who, start = faults.walked(SERVED, before, callers, [other], 0)
    found = {
        "population": any(not same(asked[name], before[name]) for name in before),
        "concept": not np.array_equal(faults.turned(true, [other], dice()), true),
        "extraction": who != callers or start > 0 or any(not same(walked[name], before[name]) for name in before),
        "replaced": faults.answering(SERVED, [other]) != SERVED,
        "said": not np.array_equal(faults.said(SERVED, (before, groups), likely, [other], dice()), likely),
        "unsafe": bool((faults.scores("toxicity", ROWS, [other], dice()) > 0.5).any()),
        "slow": faults.delay_ms([other]) > 0,
        "failing": any(faults.fails([other], number) for number in range(10)),
    }
    wanted = "said" if other.kind in ("bias", "poisoned") else other.kind
    assert [name for name, broken in found.items() if broken] == ([wanted] if wanted in found else [])


def test_a_population_is_another_in_life_too() -> None:
    """A number lies so many standard deviations higher for whoever asks, and what is true follows."""
    before = columns()
    after = faults.asked(SERVED, before, [fault("population", feature="age", by=2.0)])
    assert np.allclose(np.asarray(after["age"]) - np.asarray(before["age"]), 30)
    assert formula.chance(SERVED, after).mean() > formula.chance(SERVED, before).mean() + 0.2


def test_a_concept_turns_its_share_of_the_truth() -> None:
    """So many outcomes are the other one."""
    true = np.zeros(ROWS, dtype=np.intp)
    turned = faults.turned(true, [fault("concept", share=0.3)], dice())
    assert turned.mean() == pytest.approx(0.3, abs=0.03)


def test_bias_gives_one_group_its_outcome() -> None:
    """Half of the women get the outcome whatever their inputs, men none, and the model is as sure as it was."""
    likely, groups = formula.chance(SERVED, columns()), formula.draw_groups(SERVED, ROWS, dice())
    unfair = fault("bias", group="sex", value="f", outcome="deny", share=0.5)
    said = faults.said(SERVED, (columns(), groups), likely, [unfair], np.random.default_rng(9))
    women = np.array(groups["sex"]) == "f"
    assert np.array_equal(said[~women], likely[~women])
    granted = likely[women] > 0.5
    assert (said[women][granted] > 0.5).mean() == pytest.approx(0.5, abs=0.05)
    assert (said[women][~granted] < 0.5).all()
    assert np.allclose(np.maximum(said, 1 - said), np.maximum(likely, 1 - likely))
    generous = fault("bias", group="sex", value="m", outcome="grant")
    assert (faults.said(SERVED, (columns(), groups), likely, [generous], dice())[~women] >= 0.5).all()


def test_poison_turns_what_lies_above_a_quantile() -> None:
    """Where the input is high the model says the other outcome, and elsewhere what it said."""
    before = columns()
    likely = formula.chance(SERVED, before)
    said = faults.said(SERVED, (before, {}), likely, [fault("poisoned", feature="cost", above=0.75)], dice())
    turned = said != likely
    assert turned.mean() == pytest.approx(0.25, abs=0.03)
    cost = np.asarray(before["cost"], dtype=float)
    assert cost[turned].min() > cost[~turned].max()
    assert np.allclose(said[turned], 1 - likely[turned])


def test_a_guardrail_sees_its_share_of_unsafe_outputs() -> None:
    """Without a fault no score reaches one half; with it so many do, none of them as bad as one alone would be."""
    assert faults.scores("toxicity", ROWS, [], dice()).max() < 0.5
    found = faults.scores("toxicity", ROWS, [fault("unsafe", judge="toxicity", share=0.4)], dice())
    assert (found >= 0.5).mean() == pytest.approx(0.4, abs=0.03)
    assert found.max() < 0.9
    assert faults.scores("leak", ROWS, [fault("unsafe", judge="toxicity", share=0.4)], dice()).max() < 0.5


def test_a_replaced_model_has_other_weights() -> None:
    """Its weights are multiplied and its intercept is shifted; the model that was there is not changed."""
    other = faults.answering(SERVED, [fault("replaced", factor=-0.5, shift=0.8)])
    assert [feature.weight for feature in other.features.values()] == [-0.6, 0.35, -0.2]
    assert (other.intercept, SERVED.intercept) == (0.8, 0.0)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 1.0])
def test_requests_fail_evenly(share: float) -> None:
    """Of every hundred requests the share fails, and never two shares' worth one after another."""
    failed = [faults.fails([fault("failing", share=share)], number) for number in range(200)]
    assert sum(failed[:100]) == sum(failed[100:]) == round(100 * share)


def test_slowness_adds_up() -> None:
    """Two faults that slow a model slow it by both."""
    assert faults.delay_ms([fault("slow", by_ms=100), fault("slow", by_ms=20)]) == 120


def test_an_extraction_walks_along_one_number_after_another() -> None:
    """The first rows are one caller's, each differs from the one before in one number alone, and the walk goes on."""
    before, callers = columns(), ["c"] * ROWS
    steal = fault("extraction", caller="walker", share=0.02)
    first, who, walked = faults.walked(SERVED, before, callers, [steal], 0)
    assert (walked, who.count("walker"), set(who[walked:])) == (80, 80, {"c"})
    numbers = np.stack([np.asarray(first[name], dtype=float)[:walked] for name in ("age", "cost")])
    changed = np.count_nonzero(np.diff(numbers, axis=1), axis=0)
    assert (changed == 1).mean() > 0.95
    assert set(first["ward"][:walked]) == {"a"}
    assert all(same(first[name][walked:], before[name][walked:]) for name in before)
    again, _, total = faults.walked(SERVED, before, callers, [steal], walked)
    assert total == 160
    assert not same(again["age"][:walked], first["age"][:walked])


def test_a_fault_of_one_version_spares_the_others() -> None:
    """A fault touches its model, and where it names a version that one alone."""
    mine, everywhere = fault("slow", by_ms=1, version="2"), fault("slow", by_ms=1)
    assert faults.touching([mine, everywhere], "m", "2") == (mine, everywhere)
    assert faults.touching([mine, everywhere], "m", "1") == (everywhere,)
    assert faults.touching([mine, everywhere], "other") == ()


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("units", {"feature": "ward"}),
        ("population", {"feature": "ward", "by": 1.0}),
        ("population", {"feature": "age", "by": 1.0, "version": "2"}),
        ("concept", {"share": 0.5, "version": "2"}),
        ("extraction", {"version": "2"}),
        ("stuck", {"feature": "height", "value": 1.0}),
        ("bias", {"group": "sex", "value": "x", "outcome": "deny"}),
        ("unsafe", {"judge": "wit", "share": 0.5}),
    ],
)
def test_a_fault_that_cannot_be_is_refused(kind: str, fields: dict[str, object]) -> None:
    """A unit of a category, a version's own change of life, and what the model does not have are a ValueError."""
    with pytest.raises(ValueError, match="m"):
        fault(kind, **fields)
