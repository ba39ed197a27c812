"""A fact: what the record says, where it says so, and what is not known of it."""

from collections.abc import Iterable
from dataclasses import dataclass

NOT_RECORDED = "Headgate does not record this; a person has to add it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What the record says of one question.

    value
        Empty where nothing is known.
    entries
        The entries of the ledger that say so.
    unknown
        What is not known, and why; with a value it says what is missing beside it.
    """

    value: str = ""
    entries: tuple[int, ...] = ()
    unknown: str = ""


def known(value: str, entries: Iterable[int] = (), *, unknown: str, missing: str = "") -> Fact:
    """Return a fact; `unknown` says why there is none where the value is empty, `missing` what is missing where not."""
    said = value.strip()
    return Fact(value=said, entries=tuple(entries), unknown=missing) if said else Fact(unknown=unknown)


def lines(items: Iterable[str]) -> str:
    """Return items as one value, an item a line."""
    return "\n".join(item for item in items if item)
