"""A response without anything that Headgate could move: people state what they did, others judge it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StateContained:
    """Say that people have stopped the harm by hand, and what shows it; there is no target that Headgate could move."""

    incident: str
    statement: str
    evidence: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRemedied:
    """Say that people have put the cause right by hand, and what shows it: recovery is to be judged."""

    incident: str
    statement: str
    evidence: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeRecovered:
    """Say as another person that what was put right by hand has recovered, and what shows it."""

    incident: str
    statement: str
    evidence: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainedByHand:
    """A person answers for it that the harm has stopped; nobody read that back."""

    incident: str
    principal: str
    statement: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemediedByHand:
    """A person answers for it that the cause was put right."""

    incident: str
    principal: str
    statement: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryJudged:
    """A person, who did not put it right, answers for it that it has recovered."""

    incident: str
    principal: str
    statement: str
    evidence: str


COMMANDS = (StateContained, StateRemedied, JudgeRecovered)
EVENTS = (ContainedByHand, RemediedByHand, RecoveryJudged)
