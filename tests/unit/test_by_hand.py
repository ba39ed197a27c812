"""Ways on where nothing can be moved, and where a declared case proves to be none."""

from dataclasses import replace
from typing import Any

import pytest

from agents.ledger.case import Phase
from agents.ledger.decisions.execute import survives
from agents.reports.deeds import deeds
from agents.reports.record import record
from agents.roles.recover import Recovery
from schemas import commands as c
from schemas.case import by_hand as b
from schemas.case import clocks, glass, messages
from schemas.case.approval import ExcludePerson, KeepNothing
from schemas.case.messages import Audience
from schemas.case.people import AssumeDuty, Duty
from schemas.case.response import Dismissal, Investigate, Regress
from schemas.signals import MonitorObserved
from schemas.values import Mode, Position, Role
from streams.view.next_step import next_step
from tests import play
from tests.chapters.vendors import BOUGHT, SYSTEMS, opened
from tests.ledgers import INCIDENT, Ledger, enrolment, genesis, names, reason

POLICY = b"""version = 1
[[severity]]
name = "other"
severity = "sev3"
declare = true
[approval.sev1]
[approval.sev2]
[approval.sev3]
[approval.sev4]
[remediation]
evidence_first = ["medium"]
[recovery]
clear_rows = 100
"""
SAID: dict[str, Any] = {"incident": BOUGHT, "statement": "the pumps are driven by hand", "evidence": "ticket 4712"}


def bought(policy: bytes = POLICY) -> Ledger:
    """Return a ledger with a declared incident of a model that nothing can be moved for."""
    ledger = genesis(policy, SYSTEMS)
    ledger.ask(opened(), "triage")
    ledger.ask(c.EnrolKey(enrolment=enrolment("vera", Role.VALIDATOR)), "ada")
    return ledger


def remedied(policy: bytes = POLICY) -> Ledger:
    """Return one whose cause was put right by hand."""
    ledger = bought(policy)
    ledger.ask(b.StateContained(**SAID), "eva")
    ledger.ask(KeepNothing(incident=BOUGHT, reason="the vendor keeps them"), "max")
    ledger.ask(b.StateRemedied(**SAID), "max")
    return ledger


def test_people_lead_a_case_without_a_target_to_its_end() -> None:
    """They state what they did with what shows it; evidence comes first, and another person judges the recovery."""
    ledger = bought()
    assert reason(ledger.ask(b.StateContained(**SAID | {"evidence": " "}), "eva")) == "bad_statement"
    assert names(ledger.ask(b.StateContained(**SAID), "eva")) == ["ContainedByHand", "CaseContained"]
    assert reason(ledger.ask(b.StateRemedied(**SAID), "max")) == "no_evidence"
    ledger.ask(KeepNothing(incident=BOUGHT, reason="the vendor keeps them"), "max")
    assert names(ledger.ask(b.StateRemedied(**SAID, repeat=1), "max")) == ["RemediedByHand", "CaseRecovering"]
    assert reason(ledger.ask(b.JudgeRecovered(**SAID), "max")) == "same_person"
    assert reason(ledger.ask(b.JudgeRecovered(**SAID), "eva")) == "wrong_role"
    assert names(ledger.ask(b.JudgeRecovered(**SAID), "vera")) == ["RecoveryJudged", "CaseResolved", "RatingAsked"]
    assert ledger.state.cases[BOUGHT].phase is Phase.RESOLVED


def reports(ledger: Ledger) -> list[object]:
    """Return what the role recovery reports of rows in which nothing is raised any more."""
    role = Recovery()
    observed = MonitorObserved(
        id="o-1",
        model="rain",
        version="7",
        mode=Mode.REALTIME,
        at=ledger.at,
        rows=1_000,
        clear_rows=900,
        raised=(),
        instances=(),
        source=Position(topic_id="", partition=0, offset=0),
    )
    role.observe(ledger.state, observed)
    role.observe(ledger.state, replace(observed, id="o-2", rows=1_200, clear_rows=1_100))
    return role.proposals(ledger.state, ledger.at)


def test_the_rows_of_what_was_put_right_judge_it_too() -> None:
    """The same version, watched since it was put right, resolves the case as soon as it has been clear long enough."""
    ledger = remedied()
    case = ledger.state.cases[BOUGHT]
    assert survives(case, "rain", "7")
    (report,) = reports(ledger)
    assert names(ledger.ask(report, "recovery"))[0] == "CaseResolved"


def test_what_is_to_be_signed_off_is_not_ended_by_rows_or_by_a_manager() -> None:
    """Where the policy wants a sign-off, one person's statement and a service's count are not enough."""
    ledger = remedied(POLICY + b'sign_off = ["sev1", "sev2", "sev3"]\n')
    assert reports(ledger) == []
    report = play.recovery(incident=BOUGHT, model="rain", version="7", clear_rows=1_000)
    assert reason(ledger.ask(report, "recovery")) == "no_sign_off"
    assert reason(ledger.ask(b.JudgeRecovered(**SAID), "mia")) == "wrong_role"
    step = next_step(ledger.state.cases[BOUGHT], ledger.control, ledger.at, BOUGHT, {})
    assert "signed off" in step.sentence
    assert names(ledger.ask(b.JudgeRecovered(**SAID), "vera"))[0] == "RecoveryJudged"


def test_nobody_who_did_part_of_it_by_hand_judges_it() -> None:
    """Also where another person stated the same again afterwards."""
    ledger = bought()
    ledger.ask(b.StateContained(**SAID), "mia")
    ledger.ask(Investigate(incident=BOUGHT, reason="the cause"), "max")
    ledger.ask(b.StateContained(**SAID), "eva")
    ledger.ask(KeepNothing(incident=BOUGHT, reason="the vendor keeps them"), "max")
    ledger.ask(b.StateRemedied(**SAID), "max")
    assert reason(ledger.ask(b.JudgeRecovered(**SAID), "mia")) == "same_person"


def test_reports_tell_what_people_did_by_hand() -> None:
    """An authority reads the statement, what shows it and who judged it: not that no step was carried out."""
    ledger = remedied()
    ledger.ask(b.JudgeRecovered(**SAID | {"statement": "a week went well"}), "vera")
    entries = [one for one in ledger.verified if one.asked is not None and one.asked.incident == BOUGHT]
    facts = dict(deeds(record(ledger.state.cases[BOUGHT], entries, ledger.control, {})))
    for name in ("contained_by", "remedied_by"):
        assert "by hand" in facts[name].value
        assert SAID["statement"] in facts[name].value
        assert SAID["evidence"] in facts[name].value
        assert facts[name].entries
    assert "a week went well" in facts["decisions"].value


def test_a_recovery_by_hand_that_fails_is_contained_again() -> None:
    """What was stated counts no more: its version is no survivor, and people begin anew."""
    ledger = remedied()
    ledger.ask(Regress(incident=BOUGHT, reason="fields are dry"), "eva")
    case = ledger.state.cases[BOUGHT]
    assert not survives(case, "rain", "7")
    assert names(ledger.ask(b.StateContained(**SAID, repeat=1), "eva")) == ["ContainedByHand", "CaseContained"]


def test_nothing_is_done_by_hand_where_a_plan_can_do_it() -> None:
    """Else two persons' approval of a plan could be gone around."""
    ledger = play.opened()
    for said in (b.StateContained, b.StateRemedied):
        body = said(**SAID | {"incident": INCIDENT})
        word = "has_target" if said is b.StateContained else "illegal_transition"
        assert reason(ledger.ask(body, "max")) == word
    assert reason(play.recovering().ask(b.JudgeRecovered(**SAID | {"incident": INCIDENT}), "max")) == "not_by_hand"


DISMISS = c.Dismiss(incident=INCIDENT, reason=Dismissal.FALSE_POSITIVE, note="a sensor was replaced")


def test_a_declared_case_that_is_none_is_dismissed_by_whoever_leads_it() -> None:
    """An ML manager or the commander, with the reason; the plan that waits for approval ends with it."""
    ledger = play.requested()
    assert reason(ledger.ask(DISMISS, "eva")) == "wrong_role"
    assert reason(ledger.ask(replace(DISMISS, note=" "), "max")) == "bad_reason"
    ledger.ask(AssumeDuty(incident=INCIDENT, duty=Duty.COMMANDER), "eva")
    assert names(ledger.ask(replace(DISMISS, repeat=1), "eva")) == ["PlanEnded", "CaseDismissed"]
    assert ledger.case.phase is Phase.DISMISSED
    assert INCIDENT not in ledger.state.active


def test_a_case_whose_plan_is_carried_out_is_not_dismissed() -> None:
    """A target may move at any moment; the plan is revoked first, or ends."""
    ledger = play.requested()
    for who in ("max", "mia"):
        play.approve(ledger, who)
    play.start(ledger)
    assert reason(ledger.ask(DISMISS, "max")) == "too_late"


def test_who_takes_no_part_in_decisions_dismisses_nothing() -> None:
    """A conflict of interest holds for the largest decision too; for a candidate it is nobody's interest yet."""
    ledger = play.opened()
    ledger.ask(ExcludePerson(incident=INCIDENT, principal="p-max", reason="it is his model"), "mia")
    assert reason(ledger.ask(DISMISS, "max")) == "excluded"
    assert names(ledger.ask(DISMISS, "mia"))[-1] == "CaseDismissed"


def test_what_was_acted_on_is_reviewed_where_policy_wants_a_post_mortem() -> None:
    """Else one person could change production, call it nothing, and leave no lesson; without the rule they may."""
    for wanted, word in ((b"[]", ""), (b'["sev2"]', "post_mortem")):
        ledger = bought(POLICY + b"[closing]\npost_mortem = " + wanted)
        ledger.ask(b.StateContained(**SAID), "eva")
        said = ledger.ask(replace(DISMISS, incident=BOUGHT), "max")
        assert word == (reason(said) if word else "")
        assert (ledger.state.cases[BOUGHT].phase is Phase.DISMISSED) is (not word)


@pytest.mark.parametrize("regime", ["gdpr_33"])
def test_a_dismissal_rids_nobody_of_clocks_and_reviews(regime: str) -> None:
    """Clocks run until a person decided that they do not apply; those who were told of it can be told of its end."""
    ledger = play.opened()
    ledger.ask(clocks.RegulateCase(incident=INCIDENT, regime=regime, reason="names"), "max")
    ledger.ask(DISMISS, "max")
    assert ledger.case.clocks.running
    assert "statutory clocks run" in next_step(ledger.case, ledger.control, ledger.at, INCIDENT, {}).sentence
    decided = clocks.DeclareNotApplicable(incident=INCIDENT, clock=regime, reason="it was none")
    assert names(ledger.ask(decided, "cleo"))[0] == "ClockNotApplicable"
    assert not ledger.case.clocks.running
    assert next_step(ledger.case, ledger.control, ledger.at, INCIDENT, {}).sentence.startswith("the hold on evidence")
    review = glass.ReviewBreakGlass(incident=INCIDENT, number=1, verdict=glass.Justified.JUSTIFIED, note="n")
    assert reason(ledger.ask(review, "cleo")) == "unknown_glass"
    draft = messages.DraftMessage(incident=INCIDENT, audience=Audience.EXECUTIVE, text="It was none.", next_update_by=0)
    assert names(ledger.ask(draft, "max")) == ["MessageDrafted"]
