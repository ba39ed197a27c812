"""Which targets of a case's models Headgate could move away from the versions that are affected."""

from collections.abc import Iterator
from dataclasses import dataclass

from agents.ledger.case import Case
from schemas.systems import Systems


@dataclass(frozen=True, slots=True, kw_only=True)
class Movable:
    """A target of a model, what moving it is for, and the version to move to."""

    target: str
    purpose: str
    model: str
    known_good: str


def movable(case: Case, systems: Systems) -> Iterator[Movable]:
    """Yield the targets by model; none of a model that is not declared, or whose known-good version is affected."""
    for model in sorted({affected.model for affected in case.affected}):
        declared = systems.find(model)
        if declared is None or declared[2].known_good is None or declared[2].known_good in case.bad_versions(model):
            continue
        for target, purpose in ((declared[2].traffic, "contain"), (declared[2].registry, "remediate")):
            if target is not None:
                yield Movable(target=target, purpose=purpose, model=model, known_good=declared[2].known_good)
