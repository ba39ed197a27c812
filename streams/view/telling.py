"""Entries and state of a ledger as plain values for JSON, and as text that is safe on a terminal."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from pydantic import BaseModel

from agents.ledger.fold import Verified
from agents.triage.reports import reporter_named
from schemas.avro import decode
from schemas.keys import PublicKey
from schemas.ledger import Command
from streams.view.sentences import sentence

_TEXT = frozenset({"document"})
_MAX_LINE = 400


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: records as objects, bytes as hexadecimal digits, keys by their ids."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, PublicKey):
        return value.key_id
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _field(field.name, getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(plain(inner) for inner in value)
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


def _field(name: str, value: Any) -> Any:
    """Return a field; documents are text, as their authors wrote them."""
    if name in _TEXT and isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return plain(value)


def instant(milliseconds: int) -> str:
    """Return a point in time as ISO 8601, in UTC, with milliseconds."""
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return f"{milliseconds} ms"
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def entry_document(found: Verified) -> dict[str, Any]:
    """Return an entry, its command and its events decoded."""
    entry, asked = found.entry, found.asked
    if entry is None or asked is None:
        return {"index": found.index, "void": found.void, "bytes": len(found.leaf)}
    command = decode(Command, entry.command)
    return {
        "index": found.index,
        "at": instant(entry.at),
        "principal": asked.principal,
        "key": asked.key,
        "kind": asked.kind,
        "incident": asked.incident,
        "outcome": entry.outcome,
        "rules": entry.rules,
        "policy": entry.policy,
        "follows": entry.follows,
        "source": plain(entry.source),
        "statement": asked.statement,
        "signature": command.signature.hex(),
        "command": plain(asked.body),
        "events": [{"type": type(event).__name__, **plain(event)} for event in found.events],
    }


def entry_lines(found: Verified, *, whole: bool = False) -> list[str]:
    """Return an entry as lines for people; `whole` adds every field of its events."""
    entry, asked = found.entry, found.asked
    if entry is None or asked is None:
        return [f"{found.index:6d}  void: {printable(found.void)}"]
    about = f"  {asked.incident}" if asked.incident else ""
    head = f"{found.index:6d}  {instant(entry.at)}  {asked.principal}  {asked.kind}  {entry.outcome}{about}"
    lines = [printable(head)]
    for event in found.events:
        lines.append(printable(f"        {type(event).__name__}: {reporter_named(sentence(event), {})}"))
        if whole:
            lines += [printable(f"            {name}: {value}") for name, value in plain(event).items()]
    return lines


def printable(text: str) -> str:
    """Return one line of bounded length in which nothing can move a terminal's cursor."""
    safe = "".join(character if character.isprintable() else "�" for character in text[: _MAX_LINE + 1])
    return safe if len(safe) <= _MAX_LINE else safe[:_MAX_LINE] + "…"
