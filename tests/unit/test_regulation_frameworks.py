"""Titles of other people's frameworks are pinned, because public mappings often have them wrong."""

import pytest

from schemas.regulation.frameworks import ISO_27035_PHASES, ISO_42001, NIST_AI_RMF, OECD_CRITERIA


@pytest.mark.parametrize(
    ("control", "says"),
    [
        ("A.3.3", "reporting of concerns"),
        ("A.6.2.6", "operation and monitoring"),
        ("A.6.2.8", "event logs"),
        ("A.8.2", "information for users"),
        ("A.8.3", "external reporting"),
        ("A.8.4", "communication of incidents"),
        ("A.8.5", "information for interested parties"),
        ("A.10.2", "responsibilities"),
        ("A.10.3", "suppliers"),
        ("10.2", "corrective action"),
    ],
)
def test_iso_42001_has_its_own_titles(control: str, says: str) -> None:
    """A.8.3 is external reporting and A.8.4 communication of incidents, whatever other mappings say."""
    titles = {one.id: one.title.lower() for one in ISO_42001}
    assert says in titles[control]
    assert len(titles) == len(ISO_42001) == 10


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        ("MANAGE 2.3", "previously unknown risk"),
        ("MANAGE 2.4", "supersede, disengage, or deactivate"),
        ("MANAGE 3.1", "third-party resources"),
        ("MANAGE 3.2", "Pre-trained models"),
        ("MANAGE 4.1", "appeal and override, decommissioning, incident response, recovery, and change management"),
        ("MANAGE 4.2", "continual improvements"),
        ("MANAGE 4.3", "tracking, responding to, and recovering from incidents"),
        ("MEASURE 2.4", "monitored when in production"),
        ("MEASURE 2.6", "safety risks"),
        ("MEASURE 2.7", "security and resilience"),
        ("MEASURE 2.9", "explained"),
        ("MEASURE 2.10", "Privacy risk"),
        ("MEASURE 2.11", "Fairness and bias"),
        ("MEASURE 3.3", "appeal system outcomes"),
        ("GOVERN 4.3", "identification of incidents, and information sharing"),
        ("GOVERN 6.2", "third-party"),
    ],
)
def test_nist_outcomes_are_those_of_the_framework(outcome: str, says: str) -> None:
    """Each outcome says what the AI RMF 1.0 says under its number; the one that was not verified is marked."""
    found = {one.id: one for one in NIST_AI_RMF}
    assert says in found[outcome].title
    assert found[outcome].verified is (outcome != "GOVERN 6.2")
    assert len(found) == len(NIST_AI_RMF) == 16


def test_the_oecd_criteria_are_29_and_seven_are_mandatory() -> None:
    """Numbers run from 1 to 29; 1, 2, 3, 4, 7, 10 and 11 are mandatory; what was not read is None."""
    assert [one.number for one in OECD_CRITERIA] == list(range(1, 30))
    assert [one.number for one in OECD_CRITERIA if one.mandatory] == [1, 2, 3, 4, 7, 10, 11]
    names = {one.number: one.name for one in OECD_CRITERIA}
    assert (names[1], names[4], names[10], names[11]) == ("Title", "Submitter information", "Severity", "Harm type")
    assert {one.dimension for one in OECD_CRITERIA} == {None}


def test_incident_management_has_five_phases() -> None:
    """ISO/IEC 27035-1 ends with lessons."""
    assert len(ISO_27035_PHASES) == 5
    assert ISO_27035_PHASES[-1] == "Learn lessons"
