"""Decide on the hold on evidence: it begins with the declaration of a case of high tier; two persons release it."""

from agents.ledger.asked import Asked
from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.refusal import refuse, unsaid
from agents.ledger.regions.hold import Hold
from schemas.case import hold as h
from schemas.policy import Policy
from schemas.signals import Affected
from schemas.systems import STRICTEST_TIER
from schemas.values import Role

RELEASING = 2


def _wanted(control: Control, policy: Policy, affected: tuple[Affected, ...]) -> bool:
    declared = (control.systems.find(each.model) for each in affected)
    tiers = {found[1].tier if found else STRICTEST_TIER for found in declared} or {STRICTEST_TIER}
    return bool(tiers & set(policy.hold.tiers))


def held(
    control: Control, policy: str, incident: str, *, affected: tuple[Affected, ...], since: int, before: Hold
) -> list[object]:
    """Return the hold that follows of a declared case which touches these versions since then (ms), if any.

    Nothing follows where the policy asks no hold, or where all this is held already; what was held before stays so.
    """
    if not (before.stands or _wanted(control, control.policies[policy], affected)):
        return []
    versions = {(each.model, each.version): control.profiles.get((each.model, each.version), "") for each in affected}
    versions |= {(each.model, each.version): each.profile for each in before.held}
    found = tuple(
        h.HeldVersion(model=model, version=version, profile=profile)
        for (model, version), profile in sorted(versions.items())
    )
    since = min(since, before.since) if before.held else since
    if before.stands and (before.held, before.since) == (found, since):
        return []
    return [
        h.EvidenceHeld(
            incident=incident,
            held=found,
            since=since,
            policy=control.policy_digest,
            systems=control.systems_digest,
        )
    ]


def held_for(control: Control, case: Case) -> list[object]:
    """Return the hold that follows of a case as it is declared or taken up again."""
    since = case.course.first_bad_at
    return held(control, case.policy, case.incident, affected=case.affected, since=since, before=case.hold)


def _release(case: Case, asked: Asked, body: h.ReleaseHold) -> list[object]:
    if not case.hold.stands:
        return refuse(asked, "no_hold", "no hold stands on the evidence of this case")
    if asked.principal in case.hold.agreed:
        return refuse(asked, "same_person", "this person has agreed already; another one is needed")
    legal = Role.LEGAL in asked.roles
    agreed = h.ReleaseAgreed(incident=case.incident, principal=asked.principal, legal=legal, reason=body.reason)
    persons = (*case.hold.agreed, asked.principal)
    if len(persons) < RELEASING or not (legal or case.hold.legal):
        return [agreed]
    return [agreed, h.HoldReleased(incident=case.incident, principals=persons)]


def decide(_control: Control, case: Case, asked: Asked, _at: int) -> list[object] | None:
    """Return the events of a command about the hold, or None where it is none."""
    if isinstance(asked.body, h.ReleaseHold):
        return unsaid(asked, asked.body.reason) or _release(case, asked, asked.body)
    return None
