"""What an incident waits for now, in a sentence, and the command that brings it on."""

from collections.abc import Mapping
from dataclasses import dataclass

from agents.ledger.case import Case, Phase, Plan, PlanState
from agents.ledger.control import Control
from agents.roles.remediate import MAX_PLANS, REPLAN, aims, open_actions
from streams.view.rendering import when
from streams.view.signing_in import called


@dataclass(frozen=True, slots=True)
class NextStep:
    """What is waited for, and the command to run; empty where there is nothing to run."""

    sentence: str
    command: str = ""


def next_step(case: Case, control: Control, now: int, shown: str, names: Mapping[str, str]) -> NextStep:
    """Return what a case waits for at `now` (ms); `shown` is the incident's id as it is to be typed."""
    match case.phase:
        case Phase.RESOLVED | Phase.DISMISSED:
            return NextStep(f"nothing: it is {case.phase.value}")
        case Phase.TRIAGE:
            return NextStep(
                "a person to say whether this is an incident (or `incidents dismiss`)",
                f'headgate incidents declare {shown} --as NAME --reason "…"',
            )
        case Phase.RECOVERING:
            rows = control.policies[case.policy].recovery.clear_rows
            return NextStep(f"{rows} rows of a surviving version with nothing raised", "headgate incidents watch")
    if case.plan is None:
        return _before_a_plan(case, control)
    return _on_plan(case, case.plan, now, shown, names)


def _before_a_plan(case: Case, control: Control) -> NextStep:
    if not aims(case, control.systems):
        models = ", ".join(sorted({affected.model for affected in case.affected}))
        return NextStep(
            f"people: no system declares a target of {models} and a known-good version that is not affected",
            "headgate systems adopt FILE",
        )
    return NextStep("the role remediation to propose a plan", "headgate run remediation")


def _on_plan(case: Case, plan: Plan, now: int, shown: str, names: Mapping[str, str]) -> NextStep:
    match plan.state:
        case PlanState.PROPOSED:
            return NextStep("the role approval to ask for decisions on the plan", "headgate run approval")
        case PlanState.PENDING if now >= plan.decide_by:
            return NextStep("the role approval to end the plan: the time to decide has passed", "headgate run approval")
        case PlanState.PENDING:
            left = plan.quorum - len(plan.approvals)
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
            targets = ", ".join(action.target for action in open_actions(case)) or "the next step"
            return NextStep(f"the role remediation to carry out {targets}", "headgate run remediation")
        case PlanState.ENDED if plan.why in REPLAN and case.plans < MAX_PLANS:
            return NextStep(f"the role remediation to plan again: {plan.why}", "headgate run remediation")
    return NextStep(f"people: the plan ended ({plan.why}), and no other follows by itself")
