"""Severity is the worst of rules and judged harm; up by whoever responds, down by few; priority stands apart."""

from typing import Any

import pytest

from schemas import commands as c
from schemas.case import assessment as a
from schemas.case.assessment import MATRIX, Dimension, Modifier, Priority, Reportability
from schemas.case.people import AssumeDuty, Duty
from schemas.signals import Affected
from schemas.values import Role, Severity
from tests import play
from tests.ledgers import INCIDENT, genesis, names, reason

WHY = "two of ten were refused"
THIRD_PARTY = b"""version = 1
[systems.bought]
scope = "x"
tier = "medium"
third_party = true
[systems.bought.models.box]
[systems.bought.models.spare]
known_good = "1"
"""


def harm(level: Severity, dimension: Dimension = Dimension.RIGHTS, **changes: Any) -> a.AssessHarm:
    """Return the judgement of one dimension."""
    return a.AssessHarm(**{"incident": INCIDENT, "dimension": dimension, "level": level, "reason": WHY} | changes)


def severity(level: Severity, **changes: Any) -> a.SetSeverity:
    """Return a person's word on the severity."""
    return a.SetSeverity(**{"incident": INCIDENT, "severity": level, "evidence": WHY} | changes)


def modifier(*, applies: bool = True, **changes: Any) -> a.SetModifier:
    """Return the word that the harm cannot be undone."""
    said = {"incident": INCIDENT, "modifier": Modifier.IRREVERSIBLE, "applies": applies, "reason": WHY}
    return a.SetModifier(**said | changes)


def test_the_matrix_says_what_each_level_means_in_each_dimension() -> None:
    """Six dimensions, four levels each, none without words."""
    assert set(MATRIX) == set(Dimension)
    assert all(set(levels) == set(Severity) and all(levels.values()) for levels in MATRIX.values())


def test_the_worst_dimension_raises_the_case_and_anybody_who_responds_may_say_so() -> None:
    """The rule said SEV2; a harm of SEV1 raises it, one of SEV3 changes nothing."""
    ledger = play.opened()
    assert names(ledger.ask(harm(Severity.SEV3), "eva")) == ["HarmAssessed"]
    found = ledger.ask(harm(Severity.SEV1, Dimension.SAFETY), "eva")
    assert names(found)[:2] == ["HarmAssessed", "SeverityChanged"]
    assert ledger.case.severity is Severity.SEV1
    assert ledger.case.assessment.severity is Severity.SEV1


def test_only_a_manager_or_the_commander_lowers_what_was_judged() -> None:
    """An engineer is refused, until that engineer is the commander; and nobody goes below the rules so."""
    ledger = play.opened()
    ledger.ask(harm(Severity.SEV1), "eva")
    assert reason(ledger.ask(harm(Severity.SEV4), "eva")) == "wrong_role"
    ledger.ask(AssumeDuty(incident=INCIDENT, duty=Duty.COMMANDER), "eva")
    assert names(ledger.ask(harm(Severity.SEV4, repeat=1), "eva"))[:2] == ["HarmAssessed", "SeverityChanged"]
    assert ledger.case.severity is Severity.SEV2
    assert reason(ledger.ask(harm(Severity.SEV4, repeat=2), "eva")) == "as_it_was"


def test_a_persons_word_stands_for_the_rules_until_they_say_worse() -> None:
    """A manager lowers with evidence; the same rule again does not raise it, a worse one does."""
    ledger = genesis()
    ledger.ask(c.AdoptSystems(document=THIRD_PARTY), "ada")
    ledger.ask(play.incident_opened(affected=(Affected(model="spare", version="2"),)), "triage")
    ledger.ask(c.Declare(incident=INCIDENT, reason="it is one"), "eva")
    assert ledger.case.severity is Severity.SEV3
    assert reason(ledger.ask(severity(Severity.SEV4), "eva")) == "wrong_role"
    assert reason(ledger.ask(severity(Severity.SEV4, evidence=""), "mia")) == "bad_reason"
    assert names(ledger.ask(severity(Severity.SEV4), "mia"))[:2] == ["SeverityJudged", "SeverityChanged"]
    ledger.ask(play.incident_grew(affected=(Affected(model="spare", version="2"),)), "triage")
    assert ledger.case.severity is Severity.SEV4
    found = ledger.ask(play.incident_grew(sequence=2, affected=(Affected(model="unheard-of", version="1"),)), "triage")
    assert names(found)[:2] == ["CaseGrew", "SeverityChanged"]
    assert ledger.case.severity is Severity.SEV2


def test_what_was_assessed_keeps_the_severity_up() -> None:
    """A word that the dimensions contradict is refused and names them."""
    ledger = play.opened()
    ledger.ask(harm(Severity.SEV2), "eva")
    refused = ledger.ask(severity(Severity.SEV4), "mia")
    assert reason(refused) == "kept_up"
    assert "rights sev2" in refused[0].detail  # type: ignore[attr-defined]
    assert reason(ledger.ask(severity(Severity.SEV2), "mia")) == "as_it_was"


def test_each_modifier_makes_it_one_level_worse_but_not_worse_than_the_worst() -> None:
    """Irreversible raises SEV2 to SEV1; a second one finds nothing to raise; taking it away needs a manager."""
    ledger = play.opened()
    assert names(ledger.ask(modifier(), "eva"))[:2] == ["ModifierSet", "SeverityChanged"]
    box = modifier(modifier=Modifier.THIRD_PARTY_BLACK_BOX)
    assert names(ledger.ask(box, "eva")) == ["ModifierSet"]
    assert ledger.case.severity is Severity.SEV1
    assert reason(ledger.ask(modifier(applies=False), "eva")) == "wrong_role"
    ledger.ask(modifier(applies=False), "mia")
    ledger.ask(modifier(modifier=Modifier.THIRD_PARTY_BLACK_BOX, applies=False), "mia")
    assert ledger.case.severity is Severity.SEV2


@pytest.mark.parametrize(("model", "expected"), [("box", Severity.SEV2), ("spare", Severity.SEV3)])
def test_a_third_partys_model_that_cannot_be_rolled_back_is_one_level_worse(model: str, expected: Severity) -> None:
    """By what the systems document declares, in the entry that opens the case."""
    ledger = genesis()
    ledger.ask(c.AdoptSystems(document=THIRD_PARTY), "ada")
    found = ledger.ask(play.incident_opened(affected=(Affected(model=model, version="2"),)), "triage")
    assert ledger.case.severity is expected
    assert ("ModifierSet" in names(found)) is (model == "box")


def test_priority_and_reportability_stand_apart_and_have_their_own_deciders() -> None:
    """An engineer says how urgent it is, compliance what must be reported; neither changes the severity."""
    ledger = play.opened()
    urgent = a.SetPriority(incident=INCIDENT, priority=Priority.P1, reason=WHY)
    answer = a.SetReportability(
        incident=INCIDENT, regime="gdpr_33", answer=Reportability.NOT_REPORTABLE, reason="no personal data"
    )
    assert names(ledger.ask(urgent, "eva")) == ["PrioritySet"]
    assert reason(ledger.ask(answer, "eva")) == "wrong_role"
    assert names(ledger.ask(answer, "cleo")) == ["ReportabilitySet"]
    case = ledger.case
    assert (case.assessment.priority, case.severity) == (Priority.P1, Severity.SEV2)
    assert case.assessment.reportability == {"gdpr_33": Reportability.NOT_REPORTABLE}
    wild = a.SetReportability(incident=INCIDENT, regime="GDPR 33!", answer=Reportability.REPORTABLE, reason=WHY)
    assert reason(ledger.ask(wild, "cleo")) == "bad_regime"


def test_nobody_but_persons_judges() -> None:
    """A service of any role is refused."""
    ledger = play.opened()
    for role in (Role.TRIAGE, Role.APPROVAL, Role.RECOVERY):
        assert reason(ledger.ask(harm(Severity.SEV1), role.value)) == "wrong_role"
