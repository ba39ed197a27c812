"""The statutory clocks of a case: facts, reports, tolling and what does not apply, as commands and as events.

A clock is named by its key in the catalogue, regime.report or regime.report.tier; `number` counts the clocks of a
case, because a report that is due again has another clock with the same key.
"""

from dataclasses import dataclass
from enum import StrEnum

from schemas.avro import Millis


class Known(StrEnum):
    """What is known of a fact; what nobody answered is unknown."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFact:
    """Answer a question of FACTS, or say when a trigger happened (ms; 0 where there is no time to tell)."""

    incident: str
    fact: str
    known: Known
    happened_at: Millis
    basis: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RegulateCase:
    """Say that a regime of the catalogue speaks of this case: its clocks start."""

    incident: str
    regime: str
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitReport:
    """Say that the report of a running clock was sent, when (ms, 0: now), and by which receipt."""

    incident: str
    clock: str
    receipt: str
    submitted_at: Millis
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmReport:
    """Say as a second person that the report with this receipt was sent."""

    incident: str
    clock: str
    receipt: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareNotApplicable:
    """Decide that a clock, a report or a whole regime does not apply to this case."""

    incident: str
    clock: str
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenClock:
    """Take back that something does not apply, or that a report was submitted."""

    incident: str
    clock: str
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TollClock:
    """Hold a clock until then (ms), because an authority asked for the delay that its law provides."""

    incident: str
    clock: str
    until: Millis
    reason: str
    authority: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportClockShare:
    """So many per cent of the time that a clock has until `due` are used."""

    incident: str
    clock: str
    share: int
    due: Millis
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRegulated:
    """A regime speaks of the case; `by` is a principal, or ``systems`` where the declaration of a system says so."""

    incident: str
    regime: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRecorded:
    """Somebody said on which basis what is known of a fact, and when it happened (0: no time)."""

    incident: str
    fact: str
    known: Known
    happened_at: Millis
    principal: str
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStarted:
    """A clock runs.

    trigger, trigger_at
        The event that it counts from and when that was; `assumed` where it is unknown and awareness stands in for it.
    strict_due
        When it is due by the earliest reading anywhere on Earth.
    catalogue
        SHA-256 of the catalogue that says so, hexadecimal.
    """

    incident: str
    clock: str
    regime: str
    number: int
    trigger: str
    trigger_at: Millis
    assumed: bool
    strict_due: Millis
    catalogue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockMoved:
    """What is known now gives a running clock another beginning or due time; `was` is the strict due before."""

    incident: str
    clock: str
    number: int
    trigger: str
    trigger_at: Millis
    assumed: bool
    was: Millis
    strict_due: Millis
    why: str
    catalogue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSuperseded:
    """Another clock, `by`, stands for the same report now."""

    incident: str
    clock: str
    number: int
    by: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportProposed:
    """One person says that the report was sent; a second one has to confirm it."""

    incident: str
    clock: str
    number: int
    receipt: str
    submitted_at: Millis
    principal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSubmitted:
    """These persons say that the report was sent; `late` where that was after a due time that the law gives a number.

    The due time meant is the strict one, or the end of a delay that an authority asked for.
    """

    incident: str
    clock: str
    number: int
    receipt: str
    submitted_at: Millis
    principals: tuple[str, ...]
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockNotApplicable:
    """A named person decided that a clock, a report or a regime does not apply; its clocks ended or do not start."""

    incident: str
    clock: str
    principal: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReopened:
    """What had been decided, or submitted where `number` names a clock, counts no more: it runs on."""

    incident: str
    clock: str
    number: int
    principal: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockTolled:
    """A clock that was due at `was` is not due before `until`."""

    incident: str
    clock: str
    number: int
    was: Millis
    until: Millis
    principal: str
    reason: str
    authority: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockShareReached:
    """So many per cent of a clock's time are used; told once for each share, unless its due time moves later."""

    incident: str
    clock: str
    number: int
    share: int
    due: Millis


COMMANDS = (
    RecordFact,
    RegulateCase,
    SubmitReport,
    ConfirmReport,
    DeclareNotApplicable,
    ReopenClock,
    TollClock,
    ReportClockShare,
)
EVENTS = (
    CaseRegulated,
    FactRecorded,
    ClockStarted,
    ClockMoved,
    ClockSuperseded,
    ReportProposed,
    ReportSubmitted,
    ClockNotApplicable,
    ClockReopened,
    ClockTolled,
    ClockShareReached,
)
