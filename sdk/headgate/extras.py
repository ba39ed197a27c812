"""What a row says beside its features and fixed columns: groups by name, explanations, caller, cost."""

from typing import Any

from headgate.cells import CELL, TEXT, keep, text
from headgate.names import NamesRefusedError, plan

MAX_NAMED = 8
"""Groups, and explanations, that one row may name."""

Extras = tuple[tuple[str, str, Any], ...]
"""Role, column name and value of each."""

NONE: Extras = ()


def gather(group: Any, explanation: Any, caller: Any, cost: Any) -> tuple[Extras, Any, int]:
    """Return what is given, the group where it is no dict, and bytes; NamesRefusedError for a dict of no use."""
    found: list[tuple[str, str, Any]] = []
    if type(group) is dict:
        found += (("group", name, text(value)) for name, value in _named(group))
    if type(explanation) is dict:
        found += (("explanation", name, text(value)) for name, value in _named(explanation))
    elif explanation is not None:
        found.append(("explanation", "explanation", text(explanation)))
    if caller is not None:
        found.append(("caller", "caller", text(caller)))
    if cost is not None:
        found.append(("cost", "cost", keep(cost)))
    size = sum(CELL + (TEXT + 4 * len(value) if type(value) is str else 0) for _, _, value in found)
    return tuple(found), None if type(group) is dict else group, size + TEXT * len(found)


def _named(given: dict[Any, Any]) -> list[tuple[str, Any]]:
    if len(given) > MAX_NAMED:
        raise NamesRefusedError(f"a row names {len(given)} groups or explanations; the limit is {MAX_NAMED}")
    return list(zip(plan(tuple(given), None).names, given.values(), strict=True))
