"""The outputs in an incident's window are checked against what their model declares, each rule by itself."""

import json
from typing import Any

import numpy as np
import pytest

from agents.detection.columns import decode
from agents.roles.output_audit import FAILED, PASSED, TOO_FEW, Audited, examine, report, summary
from schemas import systems
from schemas.errors import PolicyError
from schemas.output_rules import OutputRule
from streams.roles.output_audit import declared
from tests.play import incident_opened
from tests.traffic import batch, column

HEAD = 'version = 1\n[systems.s]\nscope = "x"\n[systems.s.models.shuttle]\n'
RULE = "[[systems.s.models.shuttle.output_rules]]\n"


def rule(**given: Any) -> OutputRule:
    """Return one rule of a systems document."""
    document = {"version": 1, "systems": {"s": {"scope": "x", "models": {"m": {"output_rules": [given]}}}}}
    found = systems.Systems.model_validate(document).find("m")
    assert found is not None
    (only,) = found[2].output_rules
    return only


def check(one: OutputRule, said: Any, group: list[str] | None = None) -> dict[str, Any]:
    """Return what the audit says of outputs under one rule, given in two batches."""
    half = len(said) // 2
    batches = []
    for part in (slice(0, half), slice(half, None)):
        columns = {"f0": np.zeros(len(said[part])), "prediction": said[part]}
        if group is not None:
            columns["sex"] = column("sex", group[part], "group")
        batches.append(decode(batch(columns)))
    outputs, (result,) = examine([one], batches)
    assert outputs == len(said)
    return result


def test_a_number_outside_its_range_fails() -> None:
    """Bounds belong to the range; NaN and infinity do not; a tolerated share is tolerated."""
    values = np.array([0.0, 1.0] * 100 + [1.5, np.nan, np.inf, -0.1])
    strict = check(rule(name="unit", kind="range", minimum=0, maximum=1), values)
    assert (strict["result"], strict["against"], strict["outputs"]) == (FAILED, 4, 204)
    assert check(rule(name="unit", kind="range", minimum=0, maximum=1, max_share=0.02), values)["result"] == PASSED


def test_an_output_that_is_not_allowed_fails() -> None:
    """Texts are compared as they are, whole numbers without a point."""
    one = rule(name="classes", kind="allowed", values=["1", "2"])
    assert check(one, np.array([1, 2] * 100))["result"] == PASSED
    assert check(one, ["1", "2"] * 99 + ["3", "1"])["against"] == 1


def test_the_rate_of_adverse_outcomes_has_a_limit() -> None:
    """It is told with Wilson's interval; a number below or above a bound may be the adverse one."""
    one = rule(name="refusals", kind="adverse_rate", adverse=["no"], max_rate=0.3)
    found = check(one, ["no"] * 40 + ["yes"] * 60)
    assert (found["result"], found["value"], found["against"]) == (FAILED, 0.4, 40)
    assert found["interval"] == pytest.approx([0.3094, 0.4980], abs=5e-5)
    scores = rule(name="low", kind="adverse_rate", below=0.5, max_rate=0.3)
    assert check(scores, np.linspace(0, 1, 200) ** 0.5)["result"] == PASSED


def test_groups_that_fare_differently_fail() -> None:
    """By the gap of rates or by the four-fifths rule; a group with too few outputs is told and not compared."""
    said = ["no"] * 60 + ["yes"] * 140 + ["no"] * 30 + ["yes"] * 170 + ["no"] * 20
    group = ["f"] * 200 + ["m"] * 200 + ["x"] * 20
    four_fifths = rule(name="fair", kind="disparity", group="sex", adverse=["no"], min_ratio=0.8)
    found = check(four_fifths, said, group)
    assert (found["result"], found["ratio"], found["value"]) == (PASSED, round(0.7 / 0.85, 6), 0.15)
    assert found["groups"]["x"]["adverse"] == 20
    assert (
        check(rule(name="fair", kind="disparity", group="sex", adverse=["no"], max_gap=0.1), said, group)["result"]
        == FAILED
    )


def test_too_few_outputs_are_not_judged() -> None:
    """Neither passed nor failed: no outputs, few outputs, a group column that is not there."""
    few = rule(name="few", kind="range", minimum=0)
    assert check(few, np.zeros(99))["result"] == TOO_FEW
    assert examine([few], [])[1][0]["result"] == TOO_FEW
    assert (
        check(rule(name="fair", kind="disparity", group="sex", adverse=["no"], max_gap=0.1), ["no"] * 300)["result"]
        == TOO_FEW
    )
    assert examine([few], [decode(batch({"f0": np.zeros(200)}))])[1][0]["against"] == 200


def test_a_report_is_the_same_bytes_for_the_same_facts() -> None:
    """It names window, digest of the systems and each rule; the sentence says first what failed."""
    rules = [rule(name="unit", kind="range", maximum=1), rule(name="few", kind="range", maximum=1, min_rows=900)]
    made = []
    for _ in range(2):
        outputs, results = examine(rules, [decode(batch({"prediction": np.full(200, 2.0)}))])
        made.append(Audited("m", "2", 5, 9, complete=True, outputs=outputs, rules=results))
    assert report("i", "d", made[:1]) == report("i", "d", made[1:])
    assert json.loads(report("i", "d", made[:1]))["models"][0]["window"] == {"from": 5, "to": 9, "complete": True}
    assert summary(made[:1]) == "m version 2, 200 outputs, failed: unit, not enough data: few"


def test_only_models_that_declare_rules_are_audited() -> None:
    """The versions that the evidence names are audited under their model's rules; others are not."""
    evidence = incident_opened().evidence
    watched = systems.read((HEAD + RULE + 'name = "r"\nkind = "range"\nminimum = 0').encode())
    assert set(declared(watched, evidence)) == {(item.model, item.version) for item in evidence}
    assert declared(systems.read(HEAD.encode()), evidence) == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('kind = "range"', "a minimum, a maximum, or both"),
        ('kind = "range"\nminimum = 2\nmaximum = 1', "the minimum is above"),
        ('kind = "allowed"\nvalues = []', "values"),
        ('kind = "adverse_rate"\nmax_rate = 0.5', "say which outputs are adverse"),
        ('kind = "adverse_rate"\nadverse = ["no"]\nmax_rate = 1.5', "max_rate"),
        ('kind = "disparity"\nadverse = ["no"]\ngroup = "sex"', "max_gap, min_ratio, or both"),
        ('kind = "fancy"', "output_rules"),
        (f'kind = "range"\nminimum = 0\n{RULE}name = "r"\nkind = "range"\nminimum = 1', "names two output rules"),
    ],
)
def test_a_rule_that_says_nothing_is_refused(text: str, says: str) -> None:
    """Each kind has what it needs, and every rule a name of its own."""
    with pytest.raises(PolicyError, match=says):
        systems.read(f'{HEAD}{RULE}name = "r"\n{text}\n'.encode())
