"""A new version of a model is judged from its first row by what the version before it was: its inputs are the same."""

from dataclasses import replace

from agents.detection.monitor import Monitor
from agents.detection.scope import ScopeState
from agents.detection.standing import StandingState
from schemas.thresholds import Thresholds
from schemas.values import Category

_OWN = frozenset({"confidence", "calibration"})
"""Detectors of what each version has of its own: how sure it says to be."""

_OF_VERSIONS = frozenset(Category) - {Category.DATA_DRIFT, Category.DATA_QUALITY}
"""What stands against one version is nothing against the next."""

_NOTHING = StandingState(open=(), waiting=(), muted=(), starts=())


def successor(before: Monitor, version: str, thresholds: Thresholds, rule: str) -> Monitor | None:
    """Return a monitor of the next version that knows what the last one learnt; None where that is nothing yet."""
    state = before.state()
    if state.profile is None:
        return None
    guilty = before.raised_by(_OF_VERSIONS)
    whole = _without(state.whole, _OWN | guilty)
    heir = replace(
        state,
        version=version,
        rows=0,
        clear_rows=0,
        unobserved=0,
        whole=whole,
        instances=(),
        backfill=None,
        standing=_NOTHING,
    )
    return Monitor.of_state(heir, thresholds, rule)


def _without(scope: ScopeState, names: frozenset[str]) -> ScopeState:
    parts = tuple(part for part in scope.parts if part.name not in names)
    return replace(scope, total=0, seen=0, parts=parts)
