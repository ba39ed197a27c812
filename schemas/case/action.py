"""What was done to targets, as events: the intent before the act, what was read back, and what was put back."""

from dataclasses import dataclass

from schemas.avro import Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionStarted:
    """The intent: durable before anything is touched; `leave` is what entitles it: quorum, standing or break_glass."""

    incident: str
    intent: str
    plan: str
    step: int
    target: str
    desired: str
    precondition: str
    executor: str
    attempt: int
    lease_until: Millis
    leave: str = "quorum"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFinished:
    """What the target showed when it was read back."""

    incident: str
    intent: str
    target: str
    outcome: str
    read_back: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRestored:
    """The target was found elsewhere than approved, and set back."""

    incident: str
    intent: str
    found: str
    read_back: str


EVENTS = (ActionStarted, ActionFinished, ActionRestored)
