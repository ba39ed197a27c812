"""Watch the survivors of a contained case, row by row: recovered is never a matter of time."""

from dataclasses import dataclass, field

from agents.ledger.case import Case, Phase
from agents.ledger.decisions.execute import survives
from agents.ledger.leave import judged_by_people
from agents.ledger.state import LedgerState
from schemas.case.response import ReportRegression
from schemas.commands import ReportRecovery
from schemas.policy import RecoveryPolicy
from schemas.signals import MonitorObserved
from schemas.values import Mode


@dataclass(slots=True)
class _Watch:
    first_rows: int
    newest: MonitorObserved


@dataclass(slots=True)
class Recovery:
    """What monitors said since each case was contained, by incident, model, version and mode."""

    _seen: dict[tuple[str, str, str, Mode], _Watch] = field(default_factory=dict)

    def observe(self, state: LedgerState, observed: MonitorObserved) -> None:
        """Take a monitor's word where a recovering case waits for it.

        Words from before containment do not count, nor, where there was no traffic to move, those from before the
        case was opened; nor those from before it was last reopened or fell back. A version that only runs in shadow
        carries no traffic and is no survivor.
        """
        if observed.mode is Mode.SHADOW:
            return
        for incident in state.active:
            case = state.cases[incident]
            if case.phase is not Phase.RECOVERING or observed.at < _since(case):
                continue
            if survives(case, observed.model, observed.version):
                key = (incident, observed.model, observed.version, observed.mode)
                watch = self._seen.setdefault(key, _Watch(first_rows=observed.rows, newest=observed))
                watch.first_rows = min(watch.first_rows, observed.rows)  # a monitor that began anew counts anew
                watch.newest = observed

    def proposals(self, state: LedgerState, now: int) -> list[object]:
        """Return the reports that the cases can accept: that they recovered, or that their recovery failed."""
        del now  # rows decide, not the clock
        wanted: list[object] = []
        for key, watch in sorted(self._seen.items(), key=lambda item: item[0]):
            case = state.cases[key[0]]
            if case.phase is not Phase.RECOVERING or not survives(case, key[1], key[2]):
                del self._seen[key]
                continue
            report = _report(case, watch, state.control.policies[case.policy].recovery)
            waits = isinstance(report, ReportRecovery) and judged_by_people(state.control, case)
            if report is not None and not waits:
                wanted.append(report)
        return wanted


def _since(case: Case) -> int:
    return max(case.contained_at, case.opened_at, case.course.turned_at)


def _report(case: Case, watch: _Watch, policy: RecoveryPolicy) -> ReportRecovery | ReportRegression | None:
    newest = watch.newest
    watched = newest.rows - watch.first_rows
    clear = min(newest.clear_rows, watched)
    if newest.raised and 0 < policy.abort_rows <= watched:
        return ReportRegression(
            incident=case.incident,
            model=newest.model,
            version=newest.version,
            observation=newest.id,
            reason=f"version {newest.version} still raises {len(newest.raised)} signals after {watched} watched rows",
        )
    if clear < policy.clear_rows:
        return None
    return ReportRecovery(
        incident=case.incident,
        model=newest.model,
        version=newest.version,
        clear_rows=clear,
        observation=newest.id,
    )
