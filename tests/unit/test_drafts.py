"""What each audience is told: drafts from the record, what they call unknown, and what never gets into them."""

from dataclasses import replace

import pytest

from agents.communication.draft import draft
from agents.communication.outsiders import SERVICE
from agents.communication.telling import Told
from agents.communication.vendors import slas, vendors_of
from agents.ledger.case import Phase
from agents.ledger.decisions.communicate import MAX_TEXT
from agents.ledger.regions.contracts import Contracts
from schemas import commands as c
from schemas.case import assessment as a
from schemas.case import people as p
from schemas.case.assessment import Dimension
from schemas.case.messages import Audience
from schemas.errors import HeadgateError
from schemas.inventory import Vendor
from schemas.signals import Affected, Reached
from schemas.values import Category, Severity
from streams.cli.vendors import records
from tests import play
from tests.chapters import messages
from tests.learnt import cause
from tests.ledgers import INCIDENT, START, Ledger, genesis
from tests.story import POLICY

HOUR = 3_600_000
CANARIES = (
    "cnry-system",
    "cnry-model",
    "cnry-version",
    "cnry-instance",
    "cnry-title",
    "cnry-advice",
    "cnry-summary",
    "cnry-prediction",
    "cnry-note",
    "cnry-reason",
    "cnry-scope",
    "cnry-cause",
    "cnry-task",
    "cnry-message",
    "cnry-downstream",
    "cnry-dry",
    "cnry-fallback",
)
SYSTEMS = b"""version = 1
[systems.cnry-system]
scope = "cnry-scope"
tier = "high"
third_party = true
[systems.cnry-system.vendor]
name = "Acme Models"
contact = "soc@acme.example"
sla_hours = { fix = 72, acknowledge = 1.5 }
evidence_owed = ["training data summary", "change log"]
[systems.cnry-system.models.cnry-model]
fallback = "cnry-fallback"
[systems.house]
scope = "cnry-scope"
[systems.house.models.cnry-own]
[systems.other]
scope = "another one"
third_party = true
[systems.other.vendor]
name = "Bolt Data"
contact = "bolt@example.org"
evidence_owed = ["a bolt"]
rollback = true
fallback = "an older table"
[systems.other.models.table]
"""
ALL = tuple(Audience)


def told_of(next_by: int = 0, **changes: object) -> Told:
    """Return a record that holds a canary wherever people or machines can write."""
    ledger = recorded(**changes)
    return Told(case=ledger.case, systems=ledger.control.systems, now=ledger.at, next_update_by=next_by)


def recorded(**changes: object) -> Ledger:
    """Return a ledger with such an incident, on which people have worked."""
    ledger = genesis(POLICY, SYSTEMS)
    evidence = play.evidence(
        model="cnry-model", version="cnry-version", instance="cnry-instance", summary="cnry-summary cnry-prediction"
    )
    said = {
        "system": "cnry-system",
        "title": "cnry-title",
        "recommended": "cnry-advice",
        "affected": (
            Affected(model="cnry-model", version="cnry-version", instances=("cnry-instance",)),
            Affected(model="cnry-own", version="1"),
        ),
        "evidence": (evidence,),
        "blast_radius": (
            Reached(model="cnry-model", depth=0, seen=True),
            Reached(model="cnry-downstream", depth=1, seen=False),
        ),
    }
    ledger.ask(play.incident_opened(**(said | changes)), "triage")
    ledger.ask(c.Acknowledge(incident=INCIDENT, note="cnry-note"), "max")
    ledger.ask(p.AddNote(incident=INCIDENT, text="cnry-note", happened_at=START), "max")
    ledger.ask(
        p.AddTask(incident=INCIDENT, task="cnry-task", title="cnry-task", owner="p-mia", due_at=START + HOUR), "max"
    )
    harm = a.AssessHarm(incident=INCIDENT, dimension=Dimension.RIGHTS, level=Severity.SEV3, reason="cnry-reason")
    ledger.ask(harm, "max")
    ledger.ask(cause(text="cnry-cause"), "mia")
    ledger.ask(messages.draft(text="cnry-message"), "max")
    ledger.ask(play.proposal(dry_run="cnry-dry"), "remediation")
    return ledger.later(60)


def leaked(text: str, but: tuple[str, ...] = ()) -> list[str]:
    """Return the canaries, principals and ids that a text holds."""
    known = (*CANARIES, "p-max", "p-mia", "cnry-own", INCIDENT, "envoy:", "mlflow:", "shuttle")
    return [one for one in known if one in text and one not in but]


def test_the_record_holds_every_canary() -> None:
    """Else a draft without them would show nothing."""
    ledger = recorded()
    everything = repr([found.events for found in ledger.verified]) + repr(ledger.control.systems)
    assert [one for one in CANARIES if one not in everything] == []


@pytest.mark.parametrize("audience", [Audience.AFFECTED_USERS, Audience.PARTNERS])
@pytest.mark.parametrize("category", list(Category))
def test_no_identifier_and_no_ones_words_get_out(audience: Audience, category: Category) -> None:
    """Neither a name of a model, system, version or person, nor a sentence that anybody wrote."""
    text = draft(audience, told_of(category=category))
    assert leaked(text) == []
    assert SERVICE[category] in text
    assert "Acme" not in text
    assert " model" not in text


def test_a_vendor_reads_of_its_own_system_alone() -> None:
    """The name of its system and version, which it must know to look; no word of a person, nothing of others."""
    text = draft(Audience.VENDOR, told_of())
    assert leaked(text, but=("cnry-system", "cnry-model", "cnry-version")) == []
    assert "cnry-instance" not in text
    for said in (
        "To: Acme Models, soc@acme.example",
        "- training data summary",
        "- acknowledge: 1.5 hours, so by 2023-11-14 23:43:20 UTC",
        "- fix: 72 hours, so by 2023-11-17 22:13:20 UTC",
        "whether you can bring an earlier version back: unknown",
    ):
        assert said in text
    assert "Bolt" not in text


def test_of_several_vendors_one_is_named() -> None:
    """Else what one owes would be told to the other."""
    told = told_of(affected=(Affected(model="cnry-model", version="1"), Affected(model="table", version="7")))
    with pytest.raises(HeadgateError, match="name one of Acme Models, Bolt Data"):
        draft(Audience.VENDOR, told)
    with pytest.raises(HeadgateError, match="no system that the incident touches is of this vendor"):
        draft(Audience.VENDOR, told, "Nobody")
    text = draft(Audience.VENDOR, told, "Bolt Data")
    assert "a bolt" in text
    assert "table version 7" in text
    assert "our record says that you can" in text
    assert leaked(text) == []
    assert "Acme" not in text


def test_what_is_not_known_is_called_unknown() -> None:
    """No blank: neither the persons, nor the vendor of a model that nobody declared, nor the next word."""
    told = told_of(affected=(Affected(model="nobody", version="1"),))
    for audience in ALL:
        text = draft(audience, told)
        assert "How many people: unknown" in text or "How many these are: unknown" in text
        assert "unknown: no time is promised" in text
        assert not any(line.endswith(": ") for line in text.splitlines())
    text = draft(Audience.VENDOR, told)
    assert "To: unknown, contact unknown" in text
    assert "unknown: our record of you names no times" in text


@pytest.mark.parametrize("audience", ALL)
def test_every_draft_answers_what_a_reader_asks(audience: Audience) -> None:
    """What, since when, what is done, what is not known, what to do, and when the next word comes."""
    text = draft(audience, told_of(next_by=START + 2 * HOUR))
    for said in (
        "What happened",
        "Since when",
        "What is not known",
        "What you should do",
        "It began: 2023-11-14 22:13:20 UTC",
        "By 2023-11-15 00:13:20 UTC.",
    ):
        assert said in text
    assert len(text) < MAX_TEXT
    assert text == draft(audience, told_of(next_by=START + 2 * HOUR))


def test_those_inside_read_names_and_judgements() -> None:
    """The executive what was judged, the legal department the system and its vendor, customer service what to say."""
    told = told_of()
    executive, legal = draft(Audience.EXECUTIVE, told), draft(Audience.LEGAL, told)
    assert "cnry-model version cnry-version" in executive
    assert "rights sev3" in executive
    assert "vendor: Acme Models" in legal
    assert "unknown: no duty to report is linked to the incident" in legal
    assert "What you may say" in draft(Audience.CUSTOMER_SERVICE, told)
    assert not leaked(f"{executive}{legal}", but=(*CANARIES, "cnry-own", INCIDENT))


@pytest.mark.parametrize("phase", list(Phase))
def test_that_the_harm_has_stopped_is_said_only_where_it_was_read_back(phase: Phase) -> None:
    """People may look for a cause while nothing was contained; every phase has words."""
    told = told_of()
    for stopped in (0, START + HOUR):
        text = draft(Audience.PARTNERS, replace(told, case=replace(told.case, phase=phase, contained_at=stopped)))
        assert ("The harm has been stopped." in text) is (stopped > 0 and not phase.over)
        assert ("as usual again" in text) is (phase.over and phase is not Phase.MERGED)


def test_a_long_list_is_cut() -> None:
    """The text stays within what the ledger takes, however much is affected, and whatever a vendor owes."""
    many = tuple(Affected(model="cnry-model", version=f"{n}\n{'x' * 300}") for n in range(60))
    told = told_of(affected=many)
    owed = Vendor(
        name="n" * 200,
        contact="c" * 300,
        sla_hours={f"{'s' * 61}-{n}": 8784 - n for n in range(16)},
        evidence_owed=("e" * 200,) * 16,
    )
    system = told.systems.systems["cnry-system"].model_copy(update={"vendor": owed})
    told = replace(told, systems=told.systems.model_copy(update={"systems": {"cnry-system": system}}))
    for audience in ALL:
        text = draft(audience, told)
        assert len(text) < MAX_TEXT
        assert "x" * 101 not in text
        assert not any(line.startswith("xx") for line in text.splitlines())


def test_contract_clocks_count_from_the_declaration_and_are_no_statutory_ones() -> None:
    """The ledger starts them as the case is declared; a case that is not has none due."""
    ledger = recorded()
    vendor = vendors_of(ledger.case, ledger.control.systems)["Acme Models"]
    assert [(one.name, one.due) for one in slas(ledger.case, vendor)] == [
        ("acknowledge", START + 3 * HOUR // 2),
        ("fix", START + 72 * HOUR),
    ]
    undeclared = replace(ledger.case, contracts=Contracts())
    assert {one.due for one in slas(undeclared, vendor)} == {None}
    assert len(ledger.case.clocks.running) == 2
    assert ledger.case.clocks.statutory == ()


def test_vendors_are_listed_with_what_they_owe_on_open_incidents() -> None:
    """Each system of a third party, what its record does not say as unknown, and what is due as not statutory."""
    ledger = recorded()
    acme, bolt = records(ledger.state, START + 2 * HOUR)
    assert (acme["vendor"], acme["rollback"], bolt["rollback"]) == ("Acme Models", "unknown", "yes")
    assert acme["fallback"] == "cnry-fallback"
    (owed,) = acme["incidents"]
    assert (owed["incident"], owed["statutory"]) == (INCIDENT, False)
    assert [(one["name"], one["overdue"]) for one in owed["sla"]] == [("acknowledge", True), ("fix", False)]
    assert bolt["incidents"] == []
