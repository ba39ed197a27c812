"""Whatever faults of a drill are on together: rows stay rows, chances stay chances, and the same dice give the same."""

import json
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from agents.drills import faults, formula
from schemas.drill_faults import Fault
from schemas.drill_models import Served

SERVED = Served.model_validate(
    {
        "features": {
            "age": {"mean": 60, "sd": 15, "weight": 1.2},
            "cost": {"mean": 900, "sd": 400, "skewed": True, "weight": -0.7},
            "ward": {"values": {"a": 0.5, "b": 0.3, "c": 0.2}, "weight": 0.4},
        },
        "groups": {"sex": {"f": 0.45, "m": 0.55}},
        "judges": ["toxicity"],
    }
)
_FAULT: TypeAdapter[Fault] = TypeAdapter(Fault)
_ANY, _NUMBER = st.sampled_from(["age", "cost", "ward"]), st.sampled_from(["age", "cost"])
_SHARE = st.floats(0.01, 1.0)
_SIZE = st.floats(-1e6, 1e6)
_KINDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "units": {"feature": _NUMBER, "factor": _SIZE, "offset": _SIZE},
    "stuck": {"feature": _ANY, "value": st.one_of(_SIZE, st.sampled_from(["a", "z"]))},
    "missing": {"feature": _ANY, "share": _SHARE},
    "swapped": {"features": st.tuples(_ANY, _ANY)},
    "population": {"feature": _NUMBER, "by": st.floats(-5, 5)},
    "concept": {"share": _SHARE},
    "bias": {
        "group": st.just("sex"),
        "value": st.just("f"),
        "outcome": st.sampled_from(["no", "yes"]),
        "share": _SHARE,
    },
    "poisoned": {"feature": _ANY, "above": st.floats(0, 0.99)},
    "unsafe": {"judge": st.just("toxicity"), "share": _SHARE},
    "replaced": {"factor": st.floats(-3, 3), "shift": st.floats(-3, 3)},
    "extraction": {"share": _SHARE},
}


@st.composite
def wrong(draw: st.DrawFn) -> Fault:
    """Draw a fault."""
    kind = draw(st.sampled_from(sorted(_KINDS)))
    fields = {name: draw(values) for name, values in _KINDS[kind].items()}
    return _FAULT.validate_python({"kind": kind, "model": "m", **fields})


def played(on: list[Fault], rows: int, seed: int) -> list[Any]:
    """Return all that happens to some rows: asked, fed, answered, true, judged."""
    dice = np.random.default_rng(seed)
    columns = formula.draw(SERVED, rows, {}, dice)
    groups, callers = formula.draw_groups(SERVED, rows, dice), formula.draw_callers(SERVED, rows, dice)
    columns, callers, _ = faults.walked(SERVED, faults.asked(SERVED, columns, on), callers, on, seed)
    true = faults.turned(formula.truth(formula.chance(SERVED, columns), dice), on, dice)
    fed = faults.fed(columns, on, dice)
    told = faults.said(SERVED, (fed, groups), formula.chance(faults.answering(SERVED, on), fed), on, dice)
    scores = faults.scores("toxicity", rows, on, dice)
    cells = [values.tolist() if isinstance(values, np.ndarray) else values for values in fed.values()]
    return [*cells, callers, true.tolist(), told.tolist(), scores.tolist()]


@settings(deadline=None, max_examples=60)
@given(st.lists(wrong(), max_size=5), st.integers(1, 80), st.integers(0, 1000))
def test_faults_together_are_still_a_world(on: list[Fault], rows: int, seed: int) -> None:
    """No mixture loses a row or makes a chance that is none, and playing it again gives the same to the last bit."""
    happened = played(on, rows, seed)
    assert {len(column) for column in happened} == {rows}
    *_, callers, true, told, scores = happened
    assert all(isinstance(caller, str) for caller in callers)
    assert set(true) <= {0, 1}
    assert all(0 <= one <= 1 for one in [*told, *scores])
    assert json.dumps(played(on, rows, seed)) == json.dumps(happened)
