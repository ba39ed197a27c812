"""The hold on a case's evidence: what is held since when, and who agreed to let it go."""

from dataclasses import dataclass, replace

from schemas.case import hold as h
from schemas.case.hold import HeldVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What is held while it `stands`; `since` in ms; `agreed` are the persons who would release it."""

    stands: bool = False
    held: tuple[HeldVersion, ...] = ()
    since: int = 0
    agreed: tuple[str, ...] = ()
    legal: bool = False


def evolve(hold: Hold, event: object) -> Hold:
    """Return the region after an event; others leave it as it is."""
    match event:
        case h.EvidenceHeld():  # what is held anew is to be released anew
            return Hold(stands=True, held=event.held, since=event.since)
        case h.ReleaseAgreed():
            return replace(hold, agreed=(*hold.agreed, event.principal), legal=hold.legal or event.legal)
        case h.HoldReleased():
            return replace(hold, stands=False)
    return hold
