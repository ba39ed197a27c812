"""A record in which every text is another one: for tests of what becomes of text in reports."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from pydantic import BaseModel

from agents.reports.record import Record

Change = Callable[[str], str]


def poisoned(record: Record, change: Change) -> Record:
    """Return the record with each text changed, the same text to the same one; enumerations stay as they are."""
    control = record.control
    return Record(
        case=_deep(record.case, change),
        control=replace(
            control,
            ledger=change(control.ledger),
            genesis=change(control.genesis),
            roles=_deep(control.roles, change),
        ),
        history=_deep(record.history, change),
        seen=_deep(record.seen, change),
        names={change(who): change(name) for who, name in record.names.items()},
        systems=_deep(record.systems, change),
    )


def _deep(value: Any, change: Change) -> Any:
    if isinstance(value, BaseModel):
        told = {name: _deep(getattr(value, name), change) for name in type(value).model_fields}
        return value.model_copy(update=told)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: _deep(getattr(value, one.name), change) for one in fields(value)})
    if type(value) is str:
        return change(value) if value else value
    if isinstance(value, Mapping):
        return {_deep(key, change): _deep(item, change) for key, item in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        return type(value)(_deep(item, change) for item in value)
    return value
