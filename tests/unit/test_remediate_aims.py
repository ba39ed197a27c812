"""What remediation aims at: which targets, in which order, what they should show, and how a step is told."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.ledger.case import Case
from agents.roles.remediate import Aim, aims, desired, told
from schemas import systems
from schemas.signals import Affected
from tests import play
from tests.play import TARGET

TWO = systems.read(
    b"""
version = 1
[systems.one]
scope = "two models and one without targets"
owner = "ml_manager"
models.a = {versions = ["1", "2"], known_good = "1", traffic = "envoy:a", registry = "mlflow:a/champion"}
models.b = {versions = ["7", "8"], known_good = "7", traffic = "envoy:b"}
models.bare = {versions = ["1"]}
models.noted = {versions = ["1", "2"], known_good = "1", registry = "mlflow:noted/champion"}
"""
)


def aim(purpose: str = "contain", *avoid: str, good: str = "1") -> Aim:
    """Return an aim for the shuttle model."""
    return Aim(target=TARGET, purpose=purpose, model="shuttle", avoid=frozenset(avoid or ("2",)), known_good=good)


def case_of(*affected: tuple[str, str]) -> Case:
    """Return a case that names these model versions."""
    return replace(play.opened().case, affected=tuple(Affected(model=m, version=v) for m, v in affected))


def told_aims(*affected: tuple[str, str]) -> list[tuple[str, str]]:
    """Return target and purpose of what such a case aims at."""
    return [(found.target, found.purpose) for found in aims(case_of(*affected), TWO)]


def test_all_traffic_is_moved_before_any_registry() -> None:
    """Models in the order of their names, each with its own bad versions and its own version to fall back on."""
    found = aims(case_of(("b", "8"), ("a", "2"), ("a", "3"), ("a", "2")), TWO)
    assert [(one.target, one.purpose) for one in found] == [
        ("envoy:a", "contain"),
        ("envoy:b", "contain"),
        ("mlflow:a/champion", "remediate"),
    ]
    assert [(sorted(one.avoid), one.known_good) for one in found] == [
        (["2", "3"], "1"),
        (["8"], "7"),
        (["2", "3"], "1"),
    ]


def test_nothing_is_aimed_at_where_no_version_is_known_to_be_good() -> None:
    """An undeclared model, one without targets, and one whose known-good version is itself affected: people decide."""
    assert told_aims(("unknown", "2")) == told_aims(("bare", "1")) == []
    assert told_aims(("a", "1")) == told_aims(("a", "2"), ("a", "1")) == []
    assert told_aims(("a", "1"), ("b", "8")) == [("envoy:b", "contain")]
    assert told_aims(("noted", "2")) == [("mlflow:noted/champion", "remediate")]


@pytest.mark.parametrize(
    ("shown", "avoid", "wanted"),
    [
        ('{"1":50,"2":50}', ["2"], '{"1":100,"2":0}'),
        ('{"1":20,"2":50,"3":30}', ["2"], '{"1":70,"2":0,"3":30}'),
        ('{"1":20,"2":50,"3":30}', ["2", "3"], '{"1":100,"2":0,"3":0}'),
        ('{"2":100}', ["2"], '{"1":100,"2":0}'),
        ('{"1":0,"2":100}', ["2"], '{"1":100,"2":0}'),
        ('{"1":100,"2":0}', ["2"], '{"1":100,"2":0}'),
        ('{"2":0,"3":100}', ["2"], '{"2":0,"3":100}'),
        ('{"3":100}', ["2"], '{"3":100}'),
        ('{"version":60,"2":40}', ["2"], '{"1":40,"2":0,"version":60}'),
    ],
)
def test_traffic_leaves_the_bad_versions_and_only_them(shown: str, avoid: list[str], wanted: str) -> None:
    """Their weight goes to the known-good version, also where it has none yet; nothing else moves."""
    assert desired(aim("contain", *avoid), shown) == wanted


@given(
    weights=st.dictionaries(st.sampled_from("12345"), st.integers(0, 100), min_size=1),
    avoid=st.sets(st.sampled_from("2345"), min_size=1),
)
def test_no_weight_is_lost_and_wanting_twice_is_wanting_once(weights: dict[str, int], avoid: set[str]) -> None:
    """The sum stays, the avoided have nothing, the others at least what they had, and the wanted state is at rest."""
    wanting = aim("contain", *avoid)
    text = desired(wanting, json.dumps(weights))
    wanted = json.loads(text)
    assert sum(wanted.values()) == sum(weights.values())
    assert all(weight == 0 for version, weight in wanted.items() if version in avoid)
    assert all(wanted[version] == weight for version, weight in weights.items() if version not in {*avoid, "1"})
    assert desired(wanting, text) == text


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        ('{"version":"2"}', '{"version":"1"}'),
        ('{"version":"1"}', '{"version":"1"}'),
        ('{"version":"3"}', '{"version":"3"}'),
        ('{"version":null}', '{"version":null}'),
    ],
)
def test_an_alias_leaves_a_bad_version_and_no_other(shown: str, wanted: str) -> None:
    """An alias that names another version, or none, is not this incident's to move."""
    assert desired(aim("remediate"), shown) == wanted


def test_a_step_is_told_in_a_sentence() -> None:
    """It names the model, the versions to avoid in order, and the one that takes over."""
    assert told(aim("contain", "3", "2")) == "no more traffic to shuttle version 2 and 3; version 1 takes its share"
    assert told(aim("remediate")) == "the registry names version 1 of shuttle instead of 2"
