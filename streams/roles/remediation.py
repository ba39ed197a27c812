"""The remediation role: plans, carries out authorised steps on real targets, reads them back, keeps them there.

The only place where something outside Kafka is changed. Each step's intent is final in the ledger before it is
touched; after a crash the outcome is found by reading the target.
"""

import secrets
import time
from collections.abc import Mapping, Sequence

import structlog

from agents.ledger.case import Action, Case
from agents.ledger.control import Control
from agents.ledger.fold import Verified
from agents.ledger.state import LedgerState
from agents.roles import remediate
from agents.roles.impact import impact
from schemas.commands import ProposePlan, ReportOutcome, ReportRestored, Step
from schemas.errors import EffectError
from streams.ledger.keyring import Identity
from streams.targets.adapter import Change, Observation, Target

_LOG = structlog.get_logger("remediation")
_SAFETY_MS = 3500  # an action must be over before its lease: longer than every time limit of an adapter
_MAX_ATTEMPTS = 5
_RECONCILE_SECONDS = 1.0
_AGAIN_SECONDS = 1.0


class Remediation:
    """Moves targets to the states that were approved, and nothing else.

    Parameters
    ----------
    targets
        The adapter of each scheme: ``envoy``, ``mlflow``.
    """

    name = "remediation"

    def __init__(self, identity: Identity, targets: Mapping[str, Target]) -> None:
        self.identity: Identity | None = identity
        self._targets = targets
        self._executor = f"x-{secrets.token_hex(8)}"
        self._outcomes: dict[str, ReportOutcome] = {}
        self._looked_at = 0.0
        self._plans: dict[tuple[str, int], ProposePlan] = {}
        self._not_before: dict[str, float] = {}

    def take(self, verified: Sequence[Verified], state: LedgerState) -> None:
        """Keep nothing of the ledger: its state says all."""

    def proposals(self, state: LedgerState, now: int) -> list[object]:
        """Act on what is authorised, and return plans, starts, outcomes and restorations to record."""
        self._forget(state)
        wanted: list[object] = [plan for case in remediate.wants_plan(state) if (plan := self._plan(case, state))]
        for incident in sorted(state.active):
            case = state.cases[incident]
            outcomes = [self._outcome(state.control, case, action, now) for action in remediate.open_actions(case)]
            wanted.extend(outcome for outcome in outcomes if outcome is not None)
            if (start := remediate.next_start(state.control, case, self._executor, now)) is not None:
                wanted.append(start)
        return [*wanted, *self._reconcile(state)]

    def _forget(self, state: LedgerState) -> None:
        """Drop what the ledger knows by now."""
        known = {action.intent for name in state.active for action in remediate.open_actions(state.cases[name])}
        self._outcomes = {intent: report for intent, report in self._outcomes.items() if intent in known}
        self._plans = {key: plan for key, plan in self._plans.items() if key[0] in state.active}
        now = time.monotonic()
        self._not_before = {key: at for key, at in self._not_before.items() if at > now}

    def _wait(self, key: str) -> None:
        """Leave a target in peace for a while after it could not be used."""
        self._not_before[key] = time.monotonic() + _AGAIN_SECONDS

    def _target(self, name: str) -> Target:
        scheme = name.partition(":")[0]
        if scheme not in self._targets:
            raise EffectError(f"no adapter is configured for {name}", retryable=False)
        return self._targets[scheme]

    def _plan(self, case: Case, state: LedgerState) -> ProposePlan | None:
        """Observe the targets and propose what to set, once a case and attempt: its bytes stay the same."""
        number = case.plans + 1
        made = self._plans.get((case.incident, number))
        if made is not None or case.incident in self._not_before:
            return made
        try:
            aims = remediate.aims(case, state.control.systems)
            steps = [self._step(aim) for aim in aims]
        except EffectError as error:
            _LOG.warning("no plan yet", incident=case.incident, reason=str(error))
            self._wait(case.incident)
            return None
        changing = tuple(step for step in steps if step.observed != step.desired)
        if not changing:
            self._wait(case.incident)
            return None
        dry_run = "; ".join(f"{step.target}: {step.observed} becomes {step.desired}" for step in changing)
        found = impact(state.control, aims, changing)
        plan = ProposePlan(incident=case.incident, attempt=number, steps=changing, dry_run=dry_run, impact=found)
        self._plans[case.incident, number] = plan
        return plan

    def _step(self, aim: remediate.Aim) -> Step:
        target = self._target(aim.target)
        change = target.plan(aim.target, remediate.desired(aim, target.observe(aim.target).state))
        return Step(
            target=aim.target,
            purpose=aim.purpose,
            desired=change.after,
            observed=change.before,
            precondition=change.precondition,
            summary=remediate.told(aim),
        )

    def _outcome(self, control: Control, case: Case, action: Action, now: int) -> ReportOutcome | None:
        """Return what became of an intent: read from the target, after acting on it where that is ours to do."""
        known = self._outcomes.get(action.intent)
        if known is not None or action.intent in self._not_before:
            return known
        try:
            shown = self._target(action.target).observe(action.target)
            if shown.state != action.desired:
                if remediate.abandoned(control, case, action, now):
                    return self._report(case, action, "failed", shown.state, "it was never carried out, and may not be")
                if action.executor != self._executor or now > action.lease_until - _SAFETY_MS:
                    return None  # another executor's, or too late: the step is started again after the lease
                if shown.digest != action.precondition:
                    return self._report(case, action, "target_changed", shown.state, "the target moved after the plan")
                shown = self._act(action, shown)
        except EffectError as error:
            _LOG.warning("action failed", intent=action.intent, target=action.target, reason=str(error))
            self._wait(action.intent)
            if error.retryable and action.attempt < _MAX_ATTEMPTS:
                return None
            return self._report(case, action, "failed", "", str(error))
        return self._report(case, action, "done", shown.state, "")

    def _act(self, action: Action, shown: Observation) -> Observation:
        change = Change(action.target, shown.state, action.desired, action.precondition)
        target = self._target(action.target)
        target.apply(change, action.intent)
        return target.verify(change)

    def _report(self, case: Case, action: Action, outcome: str, read_back: str, detail: str) -> ReportOutcome:
        report = ReportOutcome(
            incident=case.incident, intent=action.intent, outcome=outcome, read_back=read_back, detail=detail[:500]
        )
        self._outcomes[action.intent] = report
        return report

    def _reconcile(self, state: LedgerState) -> list[object]:
        """Set targets back that moved away from what was approved, while their case is open."""
        if time.monotonic() - self._looked_at < _RECONCILE_SECONDS:
            return []
        self._looked_at = time.monotonic()
        restored: list[object] = []
        for case, action in remediate.standing(state):
            try:
                found = self._target(action.target).observe(action.target)
                if found.state == action.desired:
                    continue
                shown = self._act(action, found)
            except EffectError as error:
                _LOG.warning("target cannot be kept", target=action.target, reason=str(error))
                continue
            report = ReportRestored(
                incident=case.incident,
                intent=action.intent,
                number=action.restored + 1,
                found=found.state,
                read_back=shown.state,
            )
            restored.append(report)
        return restored
