"""The remediation role beside its decisions: what it asks of targets, and how often."""

from dataclasses import dataclass, field

from schemas.commands import Deny, ProposePlan, ReportOutcome, ReportRestored, RequestApproval
from schemas.errors import EffectError
from schemas.keys import PrivateKey
from streams.ledger.keyring import Identity
from streams.roles.remediation import Remediation
from streams.targets.adapter import Change, Observation
from tests.chapters.approval import POLICY
from tests.ledgers import INCIDENT, SYSTEMS, Ledger, genesis
from tests.play import approve, incident_opened, opened

STANDING = POLICY[: POLICY.index(b"[break_glass]")]

STATES = {"envoy": '{"1":50,"2":50}', "mlflow": '{"version":"2"}'}


@dataclass
class Scripted:
    """A target that is in memory, and out of reach while `down`."""

    down: bool = False
    asked: int = 0
    states: dict[str, str] = field(default_factory=dict)

    def observe(self, target: str) -> Observation:
        """Count, and answer."""
        self.asked += 1
        if self.down:
            raise EffectError("it does not answer", retryable=True)
        return Observation(target, self.states.get(target, STATES[target.partition(":")[0]]))

    def plan(self, target: str, desired: str) -> Change:
        """Say what would change."""
        now = self.observe(target)
        return Change(target, now.state, desired, now.digest)

    def apply(self, change: Change, key: str) -> None:
        """Change it."""
        assert key
        self.states[change.target] = change.after

    def verify(self, change: Change) -> Observation:
        """Read it back."""
        return self.observe(change.target)

    def revert(self, snapshot: Observation) -> Observation:
        """Set it back."""
        self.states[snapshot.target] = snapshot.state
        return snapshot


def role_with(target: Scripted) -> Remediation:
    """Return a role that reaches only this target."""
    identity = Identity("remediation", "p-remediation", PrivateKey.generate(bytes(32)))
    return Remediation(identity, {"envoy": target, "mlflow": target})


def kinds(role: Remediation, ledger: Ledger) -> list[str]:
    """Return what the role proposes now, by name."""
    return [type(body).__name__ for body in role.proposals(ledger.state, ledger.at)]


def test_a_target_that_does_not_answer_is_left_in_peace_for_a_while() -> None:
    """The loop turns twenty times a second; a target is asked once, and the plan comes when it answers again."""
    target = Scripted(down=True)
    role, ledger = role_with(target), opened()
    for _ in range(50):
        assert kinds(role, ledger) == []
    assert target.asked == 1
    target.down = False
    role._not_before.clear()
    assert kinds(role, ledger) == ["ProposePlan"]


def test_a_plan_keeps_its_bytes_until_it_is_in_the_ledger() -> None:
    """The target is observed once, so the same proposal is decided once."""
    target = Scripted()
    role, ledger = role_with(target), opened()
    first = role.proposals(ledger.state, ledger.at)
    target.states["envoy:shuttle"] = '{"1":40,"2":60}'
    assert role.proposals(ledger.state, ledger.at) == first
    assert isinstance(first[0], ProposePlan)


def test_nothing_is_proposed_where_the_targets_show_what_is_wanted() -> None:
    """And they are not asked at every turn."""
    target = Scripted(states={"envoy:shuttle": '{"1":100,"2":0}', "mlflow:shuttle/champion": '{"version":"1"}'})
    role, ledger = role_with(target), opened()
    for _ in range(50):
        assert kinds(role, ledger) == []
    assert target.asked <= 4


def granted(role: Remediation) -> Ledger:
    """Return a ledger in which the role's own plan is authorised."""
    ledger = opened()
    ledger.ask(role.proposals(ledger.state, ledger.at)[0], "remediation")
    ledger.ask(RequestApproval(incident=INCIDENT, plan=ledger.plan), "approval")
    approve(ledger, "max")
    approve(ledger, "mia")
    return ledger


def test_an_intent_is_carried_out_by_its_own_executor_only() -> None:
    """Another role's intent is not touched while its lease runs; one's own is, and is read back."""
    target = Scripted()
    role = role_with(target)
    ledger = granted(role)
    started = role.proposals(ledger.state, ledger.at)
    other = role_with(Scripted())
    ledger.ask(started[-1], "remediation")
    assert kinds(other, ledger) == []
    outcome = role.proposals(ledger.state, ledger.at)[0]
    assert isinstance(outcome, ReportOutcome)
    assert (outcome.outcome, outcome.read_back) == ("done", '{"1":100,"2":0}')


def test_a_target_that_moved_after_the_plan_is_not_touched() -> None:
    """The precondition is checked just before acting: people approved another starting point."""
    target = Scripted()
    role = role_with(target)
    ledger = granted(role)
    ledger.ask(role.proposals(ledger.state, ledger.at)[-1], "remediation")
    target.states["envoy:shuttle"] = '{"1":10,"2":90}'
    outcome = role.proposals(ledger.state, ledger.at)[0]
    assert isinstance(outcome, ReportOutcome)
    assert outcome.outcome == "target_changed"
    assert target.states["envoy:shuttle"] == '{"1":10,"2":90}'


def test_an_intent_that_nobody_may_take_up_again_is_reported_failed() -> None:
    """Its plan was denied while it was under way and its executor is gone: the record does not stay open for ever."""
    target = Scripted()
    role = role_with(target)
    ledger = genesis(STANDING, SYSTEMS)
    ledger.ask(incident_opened(), "triage")
    ledger.ask(role.proposals(ledger.state, ledger.at)[0], "remediation")
    ledger.ask(RequestApproval(incident=INCIDENT, plan=ledger.plan), "approval")
    ledger.ask(role.proposals(ledger.state, ledger.at)[-1], "remediation")
    for who in ("max", "cleo"):
        ledger.ask(Deny(incident=INCIDENT, plan=ledger.plan, reason="no"), who)
    after_crash = role_with(target)
    assert kinds(after_crash, ledger) == []
    ledger.later(11)
    (report,) = after_crash.proposals(ledger.state, ledger.at)
    assert isinstance(report, ReportOutcome)
    assert (report.outcome, target.states) == ("failed", {})


def test_a_plan_carries_its_impact() -> None:
    """What people decide on says what moves and what is known of the version to fall back on."""
    plan = role_with(Scripted()).proposals((ledger := opened()).state, ledger.at)[0]
    assert isinstance(plan, ProposePlan)
    assert plan.impact is not None
    assert (plan.impact.traffic_percent, plan.impact.reversible) == (50, True)


def test_a_stale_write_is_undone_and_reported() -> None:
    """A target that moves away from what was approved while its case is open is set back to it."""
    target = Scripted()
    role = role_with(target)
    ledger = granted(role)
    ledger.ask(role.proposals(ledger.state, ledger.at)[-1], "remediation")
    ledger.ask(role.proposals(ledger.state, ledger.at)[0], "remediation")
    stale = '{"1":10,"2":90}'
    target.states["envoy:shuttle"] = stale
    role._looked_at = float("-inf")
    restored = [body for body in role.proposals(ledger.state, ledger.at) if isinstance(body, ReportRestored)]
    assert [(body.found, body.read_back) for body in restored] == [(stale, '{"1":100,"2":0}')]
    assert target.states["envoy:shuttle"] == '{"1":100,"2":0}'
