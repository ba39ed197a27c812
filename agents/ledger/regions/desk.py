"""What people tell the ledger beside the cases: reports of suspected failures, and silences."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from schemas.case.reports import FailureReported
from schemas.case.silences import SilenceAdded, SilenceEnded

KEPT_TIMES = 200
"""Times of a person's newest reports: as many as a policy may allow in its period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Times (ms) of each principal's newest reports, and the silences in force by id."""

    reported: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    silences: Mapping[str, SilenceAdded] = field(default_factory=dict)


def evolve(desk: Desk, event: object) -> Desk:
    """Return the desk after an event; others leave it as it is."""
    match event:
        case FailureReported():
            times = (*desk.reported.get(event.principal, ()), event.reported_at)[-KEPT_TIMES:]
            return replace(desk, reported={**desk.reported, event.principal: times})
        case SilenceAdded():
            return replace(desk, silences={**desk.silences, event.silence: event})
        case SilenceEnded():
            left = {name: silence for name, silence in desk.silences.items() if name != event.silence}
            return replace(desk, silences=left)
    return desk
