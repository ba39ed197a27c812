"""What every target of an action can do, and the plain values that pass between executor and target.

A target is a string such as ``envoy:shuttle`` or ``mlflow:shuttle/champion``; a state is canonical JSON such as
``{"1":100,"2":0}``. Both go into the ledger as they stand, and equal states are equal strings.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Protocol

from schemas.errors import EffectError

MAX_STATE = 4096
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_READ_BACK_EVERY = 0.02


@dataclass(frozen=True, slots=True)
class Observation:
    """The configuration that a target shows now; `state` is canonical JSON."""

    target: str
    state: str

    @property
    def digest(self) -> str:
        """SHA-256 of target and state in hexadecimal: the precondition that a plan declares."""
        return hashlib.sha256(canonical({"state": self.state, "target": self.target}).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Change:
    """The absolute state wanted of a target, and the configuration under which it was planned.

    `precondition` is the digest of the configuration that was observed; `facts` is canonical JSON of what a person
    should know when deciding (history, never checked again).
    """

    target: str
    before: str
    after: str
    precondition: str
    facts: str = "{}"


class Target(Protocol):
    """One kind of serving infrastructure; every method raises EffectError within its time limit."""

    def observe(self, target: str) -> Observation:
        """Read the configuration as it is now."""
        ...

    def plan(self, target: str, desired: str) -> Change:
        """Say what reaching `desired` would change, without touching anything (dry run)."""
        ...

    def apply(self, change: Change, key: str) -> None:
        """Set the absolute state of `change`; repeating it with the same `key` changes nothing more."""
        ...

    def verify(self, change: Change) -> Observation:
        """Read back until the target shows `change`; EffectError when it does not in time."""
        ...

    def revert(self, snapshot: Observation) -> Observation:
        """Set and read back the state of an earlier observation."""
        ...


def canonical(value: Mapping[str, object]) -> str:
    """Return `value` as JSON with sorted keys and no spaces: one text for one state."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def parse_state(text: str) -> dict[str, object]:
    """Return the JSON object in `text`; EffectError when it is not one or is over 4 KiB."""
    if len(text) > MAX_STATE:
        raise EffectError(f"a state of {len(text)} characters is too long (at most {MAX_STATE})", retryable=False)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise EffectError(f"the state {text[:80]!r} is not JSON: {error}", retryable=False) from error
    if not isinstance(value, dict):
        raise EffectError(f"the state {text[:80]!r} is not a JSON object", retryable=False)
    return value


def check_name(name: str, what: str) -> str:
    """Return `name` when it is letters, digits, `.`, `_` and `-` (at most 128); EffectError otherwise."""
    if _NAME.fullmatch(name) is None:
        raise EffectError(f"{name[:80]!r} cannot be the name of a {what}", retryable=False)
    return name


def without_scheme(target: str, scheme: str) -> str:
    """Return what follows ``<scheme>:`` in `target`; EffectError when that is not its scheme."""
    found, _, rest = target.partition(":")
    if found != scheme or not rest:
        raise EffectError(f"the target {target[:120]!r} is not of the form {scheme}:<name>", retryable=False)
    return rest


def read_back(observe: Callable[[], Observation], wanted: str, within: float) -> Observation:
    """Observe until the state is `wanted`; EffectError (retryable) after `within` seconds."""
    deadline = monotonic() + within
    while True:
        shown = observe()
        if shown.state == wanted:
            return shown
        if monotonic() >= deadline:
            raise EffectError(
                f"{shown.target} was told {wanted} but shows {shown.state} after {within:g} s", retryable=True
            )
        sleep(_READ_BACK_EVERY)
