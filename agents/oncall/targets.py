"""Whom a target of the on-call document stands for at a moment."""

from agents.oncall.escalation import Resolve
from agents.oncall.schedule import on_call
from schemas.addressees import name_of
from schemas.oncall import OnCall


def persons_of(document: OnCall, target: str, at: int) -> tuple[str, ...]:
    """Return the persons of a target at a time (ms), each once; webhook:<name> stands for itself."""
    kind, name = target.partition(":")[0], name_of(target)
    match kind:
        case "user":
            return (name,) if name in document.people else ()
        case "schedule":
            schedule = document.schedules.get(name)
            return on_call(schedule, document.overrides_of(name), at) if schedule else ()
        case "role":
            held = document.roles.get(name, ())
            return tuple(dict.fromkeys(person for part in held for person in persons_of(document, part, at)))
        case "webhook":
            return (target,) if name in document.receivers else ()
    return ()


def resolver(document: OnCall, at: int) -> Resolve:
    """Return what finds the persons of a target at a time (ms)."""
    return lambda target: persons_of(document, target, at)
