"""What a drill that was not passed asks of its people: each expectation that was not met, as a sentence."""

from collections.abc import Mapping
from types import MappingProxyType

from agents.drills.score import NO_INCIDENT, NOBODY, NOTHING, Line, Scorecard

_SAY: Mapping[str, str] = MappingProxyType(
    {
        "false_alarms": "Incidents opened that nothing of the drill explains ({found}): look at the thresholds that "
        "raised them.",
        "category": "The incident was taken for {found}, and was {wanted}: whoever is called first looks in the wrong "
        "place.",
        "severity": "The incident was judged {found} where {wanted} was right: look at the severity rules of the "
        "policy, and at the tier of the system.",
        "phase": "The response ended at “{found}” and should have reached “{wanted}”: look at the last step that was "
        "taken, and at what it waited for.",
        "affected": "The incident names {found}, and should name {wanted}.",
        "origin": "The fault was traced to {found}, and began in {wanted}: look at the declared dependencies.",
        "technique": "The suspected technique is {found}, and was {wanted}.",
        "escalation": "People were paged by {found}, and should have been by {wanted}: look at the order of the "
        "escalation policies.",
        "paged": "Paged were {found}; it should have been {wanted}: look at the schedules and at the steps of the "
        "escalation.",
        "approvals": "The approvals that counted are of {found}; they should have been of {wanted}: look at who may "
        "approve, and who is excluded.",
        "effects": "Changed was {found}; it should have been {wanted}: look at the plan and at the declared targets.",
        "clocks": "Statutory clocks that began: {found}; it should have been: {wanted}. Look at the regulations that "
        "the systems declare.",
    }
)
_UNNOTICED = (
    "Nothing was noticed: no incident opened, and none of what should have followed could be judged. Look at what the "
    "model is watched for, and at how long the fault lasted."
)
_SLOW: Mapping[str, str] = MappingProxyType(
    {
        "opened": "Detection",
        "acknowledged": "The first answer of a person",
        "declared": "The declaration",
        "contained": "Stopping the harm",
        "resolved": "The whole response",
    }
)


def advice(card: Scorecard) -> tuple[str, ...]:
    """Return a sentence for each expectation that was not met; what follows of nothing having opened is said once."""
    if card.faulty and not card.incident and any(line.subject == "incidents" for line in card.missed):
        steps = tuple(_sentence(line) for line in card.missed if line.found.startswith("refused"))
        return (_UNNOTICED, *steps)
    return tuple(_sentence(line) for line in card.missed)


def _sentence(line: Line) -> str:
    kind, _, name = line.subject.partition(":")
    if kind == "incidents":
        return _counted(line)
    if kind == "time":
        took = "did not come at all" if line.found == "never" else f"took {line.found}"
        return f"{_SLOW.get(name, name)} {took}; {line.wanted} was the target."
    if kind == "due":
        return f"The clock {name} should give {line.wanted}; {_gave(line)}."
    if kind == "step":
        return _stepped(name, line)
    said = _SAY.get(kind, "Wanted was {wanted}, found was {found}.")
    return said.format(wanted=line.wanted, found="no incident at all" if line.found == NO_INCIDENT else line.found)


def _counted(line: Line) -> str:
    if line.wanted == "0":
        return f"{line.found} opened although nothing was wrong: false alarms cost the trust of whoever is paged."
    return (
        f"Incidents that opened: {line.found}; it should have been {line.wanted}. Look at how signals are grouped, and "
        "at what else raised an alarm."
    )


def _gave(line: Line) -> str:
    return line.found if line.found.startswith("it ") else f"it gave {line.found}"


def _stepped(name: str, line: Line) -> str:
    if line.found == NOBODY:
        return f"Nobody took the step “{name}”, although it was waited for."
    if line.wanted == "taken":
        return f"The step “{name}” was never due: {line.found}."
    if line.wanted == "followed":
        return f"What “{name}” asked for was {line.found}: the person lacked the right, or something was still missing."
    return f"What “{name}” asked for should have been {line.wanted}, and was {line.found or NOTHING}."
