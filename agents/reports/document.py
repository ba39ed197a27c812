"""A report as every renderer reads it: notices, parts, and answers that are never blank."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One field of a form.

    value
        What the record says; empty where it says nothing.
    unknown
        What is not known of it, and why; empty where nothing is missing.
    entries
        The entries of the ledger that say so.
    hint
        What the form asks for.
    """

    number: str
    label: str
    value: str = ""
    unknown: str = ""
    entries: tuple[int, ...] = ()
    hint: str = ""

    @property
    def status(self) -> str:
        """Return ``known``, ``partly`` or ``unknown``."""
        if self.value:
            return "partly" if self.unknown else "known"
        return "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a report: sentences, then answers, then a table where it has columns."""

    number: str = ""
    title: str
    text: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report that is filled as far as the record goes.

    facts
        What stands in the block below the title: name and value.
    notices
        What a reader has to know first: that it is a draft, who files it, by when.
    """

    form: str
    title: str
    basis: str
    facts: tuple[tuple[str, str], ...] = ()
    notices: tuple[str, ...] = ()
    parts: tuple[Part, ...] = field(default=())

    @property
    def answers(self) -> tuple[Answer, ...]:
        """Every answer, in order."""
        return tuple(answer for part in self.parts for answer in part.answers)
