"""Decide on what was detected: a case opens under a policy, is declared by its rules, grows and grows quiet."""

from dataclasses import replace

from agents.ledger.asked import Asked
from agents.ledger.case import Case, Phase
from agents.ledger.control import Control
from agents.ledger.decisions.assess import changed
from agents.ledger.decisions.keep import held
from agents.ledger.refusal import refuse
from agents.ledger.regions.assessment import Assessment, modified, ruled
from agents.ledger.regions.course import earliest, end_of, fault_of, touched
from agents.ledger.regions.hold import Hold
from schemas import signals as s
from schemas.case import assessment as a
from schemas.case.assessment import Modifier
from schemas.case.response import FollowingTaken, SignalsFollowed, TakeFollowing
from schemas.events import CaseDeclared, CaseGrew, CaseOpened, CaseQuieted, Refused
from schemas.ids import sound
from schemas.policy import Policy, SeverityRule
from schemas.systems import STRICTEST_TIER
from schemas.values import Category

MAX_FOLLOWING = 20
"""Signals that a case is told at once of those that followed what left its origin; the weightiest, as in detection."""


def _rule(control: Control, policy: Policy, found: s.IncidentOpened | s.IncidentGrew) -> SeverityRule:
    """Return the worst rule over the models that the incident touches; an undeclared one is of the strictest tier."""
    tiers = set()
    for affected in found.affected:
        declared = control.systems.find(affected.model)
        tiers.add(declared[1].tier if declared else STRICTEST_TIER)
    rules = [policy.judge(found.category, tier) for tier in sorted(tiers or {STRICTEST_TIER})]
    return min(rules, key=SeverityRule.order)


def _drill(control: Control, found: s.IncidentOpened) -> bool:
    """Whether nothing real is touched: every model belongs to a drill's system. What was split off keeps its origin's.

    The flag is the ledger's own finding, never what a command says: nobody hides an incident by calling it a drill.
    """
    split = control.splits.get(found.id)
    if split is not None:
        return split.incident in control.drills
    return bool(found.affected) and all(control.systems.is_drills(one.model) for one in found.affected)


def _black_box(control: Control, incident: str, models: set[str]) -> list[object]:
    """Return the modifier of a third party's model that cannot be rolled back, if one of the models is such."""
    for model in sorted(models):
        declared = control.systems.find(model)
        if declared is not None and declared[1].third_party and declared[2].known_good is None:
            return [
                a.ModifierSet(
                    incident=incident,
                    modifier=Modifier.THIRD_PARTY_BLACK_BOX,
                    applies=True,
                    by="systems",
                    reason="a third party's model is touched, and no version to roll back to is declared",
                )
            ]
    return []


def _declared(incident: str, rule: SeverityRule) -> CaseDeclared:
    return CaseDeclared(incident=incident, by=f"rule {rule.name}", reason=f"the policy declares {rule.severity.value}")


def open_case(control: Control, asked: Asked, body: s.IncidentOpened, at: int) -> list[object]:
    """Open a case under the policy in force; a rule that says so declares it at once."""
    if not sound(body.id):
        return refuse(asked, "bad_id", "an incident is named by 1 to 128 letters, digits and . _ : @ -")
    if body.id in control.splits:
        return refuse(asked, "split", "this name is kept for what was split off a case")
    if control.policy is None:
        return refuse(asked, "no_policy", "no policy is adopted, so nothing can be judged")
    return open_under(control, control.policy_digest, body, at)


def open_under(control: Control, policy: str, body: s.IncidentOpened, at: int) -> list[object]:
    """Open a case under the adopted policy with this digest, with all that follows of it at once."""
    rule, drill = _rule(control, control.policies[policy], body), _drill(control, body)
    before = body.recurrence_of
    opened = CaseOpened(
        incident=body.id,
        at=at,
        system=body.system,
        severity=rule.severity,
        category=body.category,
        rule=rule.name,
        title=body.title,
        affected=body.affected,
        evidence=body.evidence,
        first_bad_at=body.first_bad_at,
        recommended=body.recommended,
        owner_role=body.owner_role,
        technique=body.technique,
        recurrence_of=before if before is not None and (before in control.drills) is drill else None,
        declared_system=all(control.systems.find(affected.model) for affected in body.affected),
        policy=policy,
        blast_radius=body.blast_radius,
        drill=drill,
    )
    follows = _black_box(control, body.id, {affected.model for affected in body.affected})
    if follows:
        worse = modified(Assessment(ruled=rule.severity), Modifier.THIRD_PARTY_BLACK_BOX, applies=True).severity
        if worse is not rule.severity:
            was = rule.severity
            follows.append(
                a.SeverityChanged(incident=body.id, was=was, severity=worse, by="systems", reason="a modifier applies")
            )
    if rule.declare:
        since = earliest(body.first_bad_at, body.evidence)
        hold = held(control, policy, body.id, affected=body.affected, since=since, before=Hold())
        follows += [_declared(body.id, rule), *hold]
    return [opened, *follows]


def _left(control: Control, case: Case, signal: s.Evidence) -> bool:
    """Whether a signal was split off, or is of a fault that was and has a case which is not over."""
    back = end_of(control.merged, case.course.split_off.get(signal.signal, "")) == case.incident
    return (signal.signal in case.course.split_off and not back) or _goes_to(control, case, signal) != ""


def _goes_to(control: Control, case: Case, signal: s.Evidence) -> str:
    """Return the open incident that the fault of a signal left the case for; empty where there is none."""
    into = end_of(control.merged, case.course.parted.get(fault_of(signal), ""))
    return into if into in control.open and into != case.incident else ""


def _following(control: Control, case: Case, body: s.IncidentGrew) -> list[object]:
    """Return what is new of faults that left the case, for the incidents that they left for.

    What waits there already is told again with it. Where the other case is over, a signal that was split off by name
    is told to none until triage ends the origin's episode and opens a recurrence; any other one stays with the origin.
    """
    found: dict[str, dict[str, s.Evidence]] = {}
    for each in body.evidence:
        into, known = _goes_to(control, case, each), case.course.followed.get(each.signal)
        if into and (known is None or each.window_to > known.window_to):
            found.setdefault(into, {})[each.signal] = each
    events: list[object] = []
    for into in sorted(found):
        waiting = control.following.get(into)
        before = {each.signal: each for each in waiting.evidence} if waiting else {}
        evidence = tuple({**before, **found[into]}.values())[-MAX_FOLLOWING:]
        taken, _ = touched(body.affected, evidence, ())
        events.append(SignalsFollowed(incident=case.incident, into=into, evidence=evidence, affected=taken))
    return events


def take_following(control: Control, case: Case, asked: Asked, body: TakeFollowing, at: int) -> list[object]:
    """Let a case that was split off grow by what was raised of its fault since."""
    waiting = control.following.get(case.incident)
    if waiting is None or waiting.incident != body.origin:
        return refuse(asked, "nothing_waits", "nothing of that incident waits to be told to this one")
    newest = {each.signal: each for each in (*case.course.signals, *waiting.evidence)}
    evidence = tuple(sorted(newest.values(), key=lambda each: (-each.score, each.signal))[:MAX_FOLLOWING])
    known = {(each.model, each.version) for each in case.affected}
    wider = tuple(each for each in waiting.affected if (each.model, each.version) not in known)
    grew = s.IncidentGrew(
        id=case.incident,
        sequence=case.sequence,
        at=at,
        category=evidence[0].category,
        affected=(*case.affected, *wider),
        evidence=evidence,
        blast_radius=case.blast_radius,
    )
    grown = grow(control, case, asked, grew)
    if isinstance(grown[0], Refused):
        return grown
    return [FollowingTaken(incident=case.incident, origin=body.origin), *grown]


def _staying(control: Control, case: Case, body: s.IncidentGrew) -> s.IncidentGrew:
    """Return the growth without the signals that were split off, and without what they alone touch."""
    if not case.course.split_off:
        return body
    gone = tuple(each for each in body.evidence if _left(control, case, each))
    kept = tuple(each for each in body.evidence if each not in gone)
    _, remaining = touched(body.affected, gone, kept)
    attacked = not gone or any(each.category is Category.ATTACK for each in kept)  # else an attack is another case's
    return replace(
        body,
        evidence=kept or case.course.signals,
        affected=remaining or case.affected,
        technique=body.technique if attacked else None,
        title="" if gone else body.title,
    )


def _mixed(control: Control, case: Case, models: set[str]) -> bool:
    """Whether new models would join a drill's incident with a real one."""
    return any(control.systems.is_drills(model) is not case.drill for model in models)


def grow(control: Control, case: Case, asked: Asked, body: s.IncidentGrew) -> list[object]:
    """Take the newest facts; severity may rise by rule, and falls only by a person's word."""
    told, body = body, _staying(control, case, body)
    rule = _rule(control, control.policies[case.policy], body)
    new = {each.model for each in body.affected} - {each.model for each in case.affected}
    if _mixed(control, case, new):
        return refuse(asked, "drill", "an incident is a drill's or real: a model of the other kind opens its own")
    worse = ruled(case.assessment, rule.severity)
    modifier = [] if Modifier.THIRD_PARTY_BLACK_BOX in worse.modifiers else _black_box(control, case.incident, new)
    after = modified(worse, Modifier.THIRD_PARTY_BLACK_BOX, applies=True) if modifier else worse
    grew = CaseGrew(
        incident=case.incident,
        sequence=body.sequence,
        severity=after.severity,
        ruled=worse.ruled,
        category=body.category,
        affected=body.affected,
        evidence=body.evidence,
        blast_radius=body.blast_radius,
        technique=body.technique,
        title=body.title,
    )
    why = f"rule {rule.name}" if worse.severity is not case.severity else "systems"
    follows = [grew, *modifier, *changed(case, after.severity, why, "the incident grew")]
    declares = case.phase is Phase.TRIAGE and rule.declare
    if declares:
        follows.append(_declared(case.incident, rule))
    follows += _following(control, case, told)
    if declares or case.hold.stands:
        since = earliest(case.course.first_bad_at, body.evidence)
        follows += held(control, case.policy, case.incident, affected=body.affected, since=since, before=case.hold)
    return follows


def decide(control: Control, case: Case, asked: Asked, at: int) -> list[object] | None:
    """Return the events of what detection says of a case, or None where the command is of another kind."""
    match asked.body:
        case s.IncidentGrew():
            return grow(control, case, asked, asked.body)
        case TakeFollowing():
            return take_following(control, case, asked, asked.body, at)
        case s.IncidentQuieted(sequence=sequence, last_signal_at=last):
            return [CaseQuieted(incident=case.incident, sequence=sequence, last_signal_at=last)]
    return None
