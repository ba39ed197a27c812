"""What an incident waits for now, in a sentence, and the command that brings it on."""

from collections.abc import Mapping
from dataclasses import dataclass

from agents.ledger.case import Case, Phase
from agents.ledger.closing import standing, unfinished
from agents.ledger.control import Control
from agents.ledger.decisions.execute import all_done
from agents.ledger.leave import judged_by_people
from agents.ledger.regions.course import end_of
from agents.ledger.regions.plan import Plan, PlanState
from agents.roles.remediate import MAX_PLANS, aims, open_actions, waits_for_evidence, wants_another
from streams.view.rendering import when
from streams.view.signing_in import called

_OWED = frozenset({"glass", "hold", "clocks", "reviews"})
"""What a dismissal ends for nobody, by the matters of agents.ledger.closing."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """What is waited for, and the command to run; empty where there is nothing to run."""

    sentence: str
    command: str = ""


def next_step(case: Case, control: Control, now: int, shown: str, names: Mapping[str, str]) -> NextStep:
    """Return what a case waits for at `now` (ms); `shown` is the incident's id as it is to be typed."""
    match case.phase:
        case Phase.DISMISSED:
            left = [said for matter, said in standing(control, case) if matter in _OWED]
            command = f"headgate clocks show {shown}" if case.clocks.running else ""
            return NextStep("; ".join(left) or "nothing: it is dismissed", command)
        case Phase.CLOSED:
            return NextStep("nothing: it is closed")
        case Phase.MERGED:
            return NextStep(f"nothing: it goes on in {end_of(control.merged, case.incident)}")
        case Phase.RESOLVED:
            return NextStep("people to review it", f"headgate incidents review {shown} --as NAME")
        case Phase.REVIEW:
            missing = "; ".join(unfinished(control, case))
            return NextStep(missing or "a person to close it", f"headgate incidents close {shown} --as NAME")
        case Phase.TRIAGE:
            return NextStep(
                "a person to say whether this is an incident (or `incidents dismiss`)",
                f'headgate incidents declare {shown} --as NAME --reason "…"',
            )
        case Phase.RECOVERING if case.course.remedied_by:
            rows = control.policies[case.policy].recovery.clear_rows
            either = f"{rows} rows with nothing raised since it was put right by hand, or another person to judge it"
            people = "a validator or compliance to judge what was put right by hand, as the policy wants it signed off"
            return NextStep(
                people if judged_by_people(control, case) else either,
                f'headgate incidents recovered {shown} --as NAME --statement "…" --evidence "…"',
            )
        case Phase.RECOVERING:
            rows = control.policies[case.policy].recovery.clear_rows
            return NextStep(f"{rows} rows of a surviving version with nothing raised", "headgate incidents watch")
    if case.plan is None:
        return _before_a_plan(case, control, shown)
    return _on_plan(case, control, case.plan, now, shown, names)


def _before_a_plan(case: Case, control: Control, shown: str) -> NextStep:
    if not aims(case, control.systems):
        models = ", ".join(sorted({affected.model for affected in case.affected}))
        none = f"no system declares a target of {models} and a known-good version that is not affected"
        verb = "remedied" if case.phase in {Phase.CONTAINED, Phase.INVESTIGATING} else "contained"
        if any(control.systems.find(affected.model) is None for affected in case.affected):
            by_hand = f"`headgate incidents {verb} {shown}` says what they did by hand"
            return NextStep(f"people: {none}; until one does, {by_hand}", "headgate systems adopt FILE")
        said = "put it right" if verb == "remedied" else "stop the harm"
        return NextStep(
            f"people to {said} by hand: {none}",
            f'headgate incidents {verb} {shown} --as NAME --statement "…" --evidence "…"',
        )
    return NextStep("the role remediation to propose a plan", "headgate run remediation")


def _on_plan(case: Case, control: Control, plan: Plan, now: int, shown: str, names: Mapping[str, str]) -> NextStep:
    match plan.state:
        case PlanState.PROPOSED:
            return NextStep("the role approval to ask for decisions on the plan", "headgate run approval")
        case PlanState.PENDING if now >= plan.decide_by:
            return NextStep("the role approval to end the plan: the time to decide has passed", "headgate run approval")
        case PlanState.PENDING:
            left = max(1, plan.quorum - len(plan.approvals))
            given = (
                f", beside {', '.join(called(names, person) for person in plan.approvals)}" if plan.approvals else ""
            )
            return NextStep(
                f"{left} of {plan.quorum} approvals by persons with the role {plan.role}{given}, "
                f"before {when(plan.decide_by)}",
                f"headgate approve {shown} --as NAME",
            )
        case PlanState.AUTHORISED:
            return NextStep(f"the role remediation to start before {when(plan.execute_by)}", "headgate run remediation")
        case PlanState.EXECUTING:
            return _executing(case, control, plan, shown)
        case PlanState.ENDED if case.plans < MAX_PLANS and wants_another(control, case):
            return NextStep(f"the role remediation to plan again: {plan.why}", "headgate run remediation")
    if case.deciding.wanted > case.plans:
        return NextStep("the role remediation to propose another plan, as a person asked", "headgate run remediation")
    return NextStep(
        f"people: the plan ended ({plan.why}), and no other follows by itself",
        f'headgate incidents ask-plan {shown} --as NAME --reason "…"',
    )


def _executing(case: Case, control: Control, plan: Plan, shown: str) -> NextStep:
    if all_done(case, plan):
        return NextStep(
            "a validator or compliance, who decided on no plan of it, to sign off what was done",
            f'headgate incidents sign-off {shown} --as NAME --note "…"',
        )
    under_way = open_actions(case)
    if not under_way and waits_for_evidence(control, case, plan):
        return NextStep(
            "evidence to be frozen, before anything is changed for good",
            f'headgate incidents keep-nothing {shown} --as NAME --reason "…"',
        )
    targets = ", ".join(action.target for action in under_way) or "the next step"
    return NextStep(f"the role remediation to carry out {targets}", "headgate run remediation")
