"""The timeline of a case: each event, and each note at the time at which it is said to have happened."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agents.ledger.fold import Verified
from schemas import events as e
from schemas.case.people import NoteAdded
from streams.view.incident_view import named
from streams.view.sentences import sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: `at` orders it (ms); `recorded_at` is when the ledger had it, `told_at` when a person said it was.

    told_at
        0 where nobody said anything else than the ledger's own time.
    """

    at: int
    recorded_at: int
    told_at: int
    entry: int
    event: str
    principal: str
    sentence: str


def timeline(entries: Iterable[Verified], names: Mapping[str, str]) -> list[Line]:
    """Return the lines of one case's entries in the order of what happened; of one moment, in that of the ledger."""
    lines = [line for found in entries if found.entry is not None for line in _lines(found, found.entry.at, names)]
    return sorted(lines, key=lambda line: (line.at, line.entry))


def _lines(found: Verified, recorded: int, names: Mapping[str, str]) -> Iterable[Line]:
    principal = found.asked.principal if found.asked else ""
    for event in found.events:
        told = event.happened_at if isinstance(event, NoteAdded) else 0
        if isinstance(event, e.CaseOpened) and event.first_bad_at:
            yield Line(
                at=min(event.first_bad_at, recorded),
                recorded_at=recorded,
                told_at=event.first_bad_at,
                entry=found.index,
                event="FirstBadRow",
                principal=principal,
                sentence="the first bad row, as detection dates it",
            )
        yield Line(
            at=told or recorded,
            recorded_at=recorded,
            told_at=told,
            entry=found.index,
            event=type(event).__name__,
            principal=principal,
            sentence=named(sentence(event), names),
        )
