"""Feature names: the allow-list, and the one plan that all rows with the same names share."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from headgate.cells import picker
from headgate.settings import MAX_FEATURES, MAX_TEXT


class NamesRefusedError(ValueError):
    """A row has too many feature names, or one that is no name."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to take of a dict with exactly these keys; pick is None where every value is taken."""

    keys: tuple[Any, ...]
    names: tuple[str, ...]
    pick: Callable[[Mapping[Any, Any]], Iterable[Any]] | None


EMPTY = Plan((), (), None)


def plan(keys: tuple[Any, ...], allowed: frozenset[str] | None) -> Plan:
    """Return the plan for a dict's keys; NamesRefusedError where there are too many or one is no name."""
    wanted = keys if allowed is None else tuple(key for key in keys if _name(key) in allowed)
    names = tuple(_name(key) for key in wanted)
    if len(names) > MAX_FEATURES:
        raise NamesRefusedError(f"a row has {len(names)} features; the limit is {MAX_FEATURES}")
    if "" in names or len(set(names)) != len(names):
        raise NamesRefusedError("feature names must be distinct, Unicode, and of 1 to 256 characters")
    return Plan(keys, names, None if wanted == keys else picker(wanted) or _nothing)


def bounded(features: Mapping[Any, Any], allowed: frozenset[str] | None) -> dict[Any, Any]:
    """Return a mapping as a dict of at most MAX_FEATURES names, without walking through what is not wanted."""
    if allowed is not None:
        return {name: features[name] for name in allowed if name in features}
    keys = list(islice(features.keys(), MAX_FEATURES + 1))
    if len(keys) > MAX_FEATURES:
        raise NamesRefusedError(f"a row has more than {MAX_FEATURES} features")
    return {key: features[key] for key in keys}


def _nothing(_features: Mapping[Any, Any]) -> tuple[Any, ...]:
    return ()


def _name(key: Any) -> str:
    name = repr(key) if type(key) is int and abs(key) < MAX_TEXT**4 else key
    if type(name) is not str or len(name) > MAX_TEXT:
        return ""
    return name if name.isascii() or _is_unicode(name) else ""


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
