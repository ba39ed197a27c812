"""Policy selects the thresholds of each model by mode, sensitivity, tier and third party, and says which rule did."""

import numpy as np
import pytest

from agents.detection.detect import Detect
from agents.detection.standard import Standard
from agents.detection.unit import UnitState
from schemas import policy, systems
from schemas.avro import decode
from schemas.errors import PolicyError
from schemas.label_thresholds import Fairness
from schemas.selection import Detection, Traits
from schemas.thresholds import Thresholds
from schemas.values import Category, Mode
from tests.ledgers import POLICY
from tests.traffic import Traffic, column, features
from tests.unit.test_policy import APPROVAL, CATCH_ALL

RULES = Detection.model_validate(
    {
        "psi": 0.2,
        "when": [
            {"name": "batch", "modes": ["batch"], "thresholds": {"window_rows": 2000, "quality": {"rise": 0.1}}},
            {"name": "special", "sensitivities": ["special"], "thresholds": {"psi": 0.1}},
            {"name": "bought", "third_party": True, "thresholds": {"psi": 0.3, "quality": {"reach": 5}}},
            {"name": "one", "models": ["m"], "thresholds": {"bins": 20}},
        ],
    }
)
SYSTEMS = systems.read(
    b'version = 1\n[systems.s]\nscope = "x"\ntier = "low"\nsensitivity = "special"\nthird_party = true\n'
    b'[systems.s.models.m]\n[systems.t]\nscope = "y"\nsensitivity = "public"\n[systems.t.models.n]\n'
)


def test_every_matching_rule_changes_the_base_in_order() -> None:
    """Fields that no rule names stay, later rules win, and the parts of a table change one by one."""
    found = Standard("p", RULES, SYSTEMS).select("m", Mode.BATCH)
    assert found.rule == "batch + special + bought + one"
    assert (found.thresholds.psi, found.thresholds.bins, found.thresholds.window_rows) == (0.3, 20, 2000)
    assert (found.thresholds.quality.rise, found.thresholds.quality.reach) == (0.1, 5)
    assert found.thresholds.quality.stuck_rows == RULES.quality.stuck_rows


def test_a_model_that_no_rule_speaks_of_has_the_base() -> None:
    """Its signals cite the default."""
    found = Standard("p", RULES, SYSTEMS).select("n", Mode.REALTIME)
    assert (found.rule, found.thresholds.psi) == ("default", 0.2)


def test_an_undeclared_model_is_judged_by_the_strictest() -> None:
    """What nobody declared is special and of the high tier."""
    assert Standard("p", RULES, SYSTEMS).select("unheard-of", Mode.REALTIME).rule == "special"
    assert Standard("p", RULES, SYSTEMS).select("unheard-of") == Standard("p", RULES).select("m2")


def test_what_a_system_declares_of_fairness_holds_where_policy_names_nothing() -> None:
    """Protected groups and a favourable outcome reach the thresholds of the declared model alone, rules or none."""
    declared = systems.read(
        b'version = 1\n[systems.s]\nscope = "x"\nprotected_groups = ["sex"]\n'
        b'[systems.s.models.m]\nfavourable = "granted"\n[systems.s.models.n]\n'
    )
    for thresholds in (Thresholds(), RULES):
        standard = Standard("p", thresholds, declared)
        fairness = [standard.select(model).thresholds.fairness for model in ("m", "n", "other")]
        assert [(f.groups, f.favourable) for f in fairness] == [(("sex",), "granted"), (("sex",), ""), ((), "")]
    named = Thresholds(fairness=Fairness(groups=("age",), favourable="paid"))
    assert Standard("p", named, declared).select("m").thresholds is named


def test_a_protected_group_of_the_systems_document_is_the_one_that_is_judged() -> None:
    """Two group columns drift apart in their outcomes; only the one that the system protects is told."""
    declared = systems.read(
        b'version = 1\n[systems.s]\nscope = "x"\nprotected_groups = ["sex"]\n[systems.s.models.m]\n'
    )
    for systems_known, told in ((systems.Systems(version=1), {"age", "sex"}), (declared, {"sex"})):
        traffic, rng = Traffic(), np.random.default_rng(3)
        traffic.detect = Detect(Standard("policy", Thresholds(), systems_known))
        for number in range(40):
            group = rng.random(250) < 0.5
            likely = np.where(group & (number > 20), 0.05, 0.5)
            names = np.where(group, "a", "b").tolist()
            columns = {"sex": column("sex", names, "group"), "age": column("age", names, "group")}
            made = np.where(rng.random(250) < likely, "yes", "no").tolist()
            traffic.send(features(rng, 250) | columns | {"prediction": made})
        found = {event.subject for event in traffic.raised if event.category == Category.FAIRNESS}
        assert {name for name in ("age", "sex") if any(name in subject for subject in found)} == told


def test_names_from_outside_do_not_fill_memory() -> None:
    """What is remembered grows with the policy's rules, not with the models seen."""
    standard = Standard("p", RULES, SYSTEMS)
    for number in range(1000):
        standard.select(f"model-{number}", Mode.REALTIME)
    assert len(standard._known) == 1


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ('name = "a"\nthresholds = { psi = 0 }', "rule a: psi"),
        ('name = "a"\nthresholds = { pssi = 1 }', "rule a: pssi"),
        ('name = "a"\nthresholds = { quality = { rise = 2 } }', "rule a: quality.rise"),
        ('name = "a"\nthresholds = { quality = 2 }', "rule a: quality"),
        ('name = "a"\nthresholds = { when = [] }', "rule a: when"),
        ('name = "a"\nthresholds = { window_rows = 100 }', "rule a: Value error, floor_rows is above window_rows"),
        ('name = "a"\nthresholds = {}', "thresholds"),
        ('name = "a"\nmodes = ["night"]\nthresholds = { psi = 1 }', "modes"),
        ('name = "default"\nthresholds = { psi = 1 }', "could not say which"),
        ('name = "a"\nthresholds = { max_monitors = 1 }', "whole partition"),
        ('name = "a"\nmodes = ["batch"]\nthresholds = { labels = { sample = 0.5 } }', "shared by all modes"),
    ],
)
def test_a_rule_that_cannot_hold_is_refused_with_the_policy(rule: str, says: str) -> None:
    """Every override is checked when the policy is read, alone and with the rules that it can meet."""
    with pytest.raises(PolicyError, match="(?s)" + says):
        policy.read(f"version = 1\n{CATCH_ALL}{APPROVAL}[[detection.when]]\n{rule}\n".encode())


def test_rules_that_are_only_wrong_together_are_refused() -> None:
    """One rule shortens the window and another raises the floor above it."""
    rules = '[[detection.when]]\nname = "a"\nthresholds = { window_rows = 400 }\n'
    rules += '[[detection.when]]\nname = "b"\ntiers = ["low"]\nthresholds = { floor_rows = 450 }\n'
    with pytest.raises(PolicyError, match=r"rule a \+ b"):
        policy.read(f"version = 1\n{CATCH_ALL}{APPROVAL}{rules}".encode())


def test_the_shipped_example_selects() -> None:
    """deploy/policy.toml judges batches in larger windows and leaves our own real-time models to the base."""
    shipped = policy.read(POLICY).detection
    own = Traits("m", "personal", "high", third_party=False)
    assert shipped.select(own, Mode.REALTIME).rule == "default"
    assert shipped.select(own, Mode.BATCH).thresholds.window_rows == 2000


def test_a_signal_cites_the_rule_and_the_state_says_since_when() -> None:
    """Another policy takes over in mid-stream with shorter windows; digest, offset and rule stand in what follows."""
    rng = np.random.default_rng(1)
    traffic = Traffic()
    for _ in range(19):
        traffic.send(features(rng, 250, 2))
    ((unit, offset, body),) = traffic.detect.dirty()
    newer = Detection.model_validate(
        {"when": [{"name": "short", "modes": ["realtime"], "thresholds": {"window_rows": 50, "floor_rows": 50}}]}
    )
    traffic.detect = Detect(Standard("newer", newer, SYSTEMS))
    traffic.detect.restore(unit, offset, body)
    for _ in range(8):
        columns = features(rng, 250, 2)
        columns["f0"] = columns["f0"] + 5
        traffic.send(columns)
    ((_, _, body),) = traffic.detect.dirty()
    state = decode(UnitState, body[1:])
    assert (state.policy, state.since) == ("newer", 19)
    assert {(signal.policy, signal.rule) for signal in traffic.raised} == {("newer", "short")}
