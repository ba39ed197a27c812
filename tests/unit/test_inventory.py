"""The inventory of systems: what is said of each beyond its models, and a draft of it from a registry."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.ledger.state import LedgerState
from agents.triage.judge import Judge
from agents.triage.narrative import recommend
from schemas import systems
from schemas.errors import PolicyError
from schemas.policy import TriagePolicy
from schemas.profiles import AdoptProfile
from schemas.signals import Affected
from streams.cli.systems import declared, undeclared
from streams.targets.mlflow_inventory import Registered
from streams.view.gaps import gaps
from streams.view.systems_draft import draft, fitting
from tests.ledgers import genesis
from tests.play import incident_opened

VENDED = b"""version = 1
[systems.triage-aid]
scope = "Sorts patients by urgency"
tier = "high"
sensitivity = "special"
third_party = true
jurisdictions = ["DE", "EU", "US-CA"]
regulations = ["ai_act_art73", "gdpr_33"]
operator_role = "deployer"
[systems.triage-aid.vendor]
name = "Acme Health"
contact = "incidents@acme.example"
sla_hours = { acknowledge = 1, fix = 72 }
evidence_owed = ["inference logs of the window", "what changed in the model"]
rollback = false
fallback = "nurses sort by the paper protocol"
[systems.triage-aid.models.urgency]
"""


def state(document: bytes) -> LedgerState:
    """Return a ledger under this systems document, with an open incident of a model that may not stand in it."""
    ledger = genesis(systems=document)
    ledger.ask(incident_opened(), "triage")
    ledger.ask(AdoptProfile(model="ghost", version="7", digest="ab" * 32), "max")
    return ledger.state


def test_a_third_partys_system_names_vendor_law_and_place() -> None:
    """What responders, clocks and reports need is in the row of each of its models."""
    (row,) = declared(state(VENDED))
    expected: dict[str, Any] = {
        "system": "triage-aid",
        "sensitivity": "special",
        "third_party": True,
        "jurisdictions": ["DE", "EU", "US-CA"],
        "regulations": ["ai_act_art73", "gdpr_33"],
        "operator_role": "deployer",
        "fallback": "nurses sort by the paper protocol",
    }
    assert {name: row[name] for name in expected} == expected
    assert row["vendor"]["sla_hours"] == {"acknowledge": 1.0, "fix": 72.0}
    assert systems.read(VENDED).systems["triage-aid"].jurisdiction == "DE"


def test_a_model_that_nobody_declared_is_flagged_from_an_incident_and_from_a_profile() -> None:
    """Both stand in the list, judged by the strictest tier."""
    rows = {row["model"]: row for row in undeclared(state(VENDED))}
    assert {model: (row["versions"], row["tier"]) for model, row in rows.items()} == {
        "shuttle": (["2"], "high"),
        "ghost": (["7"], "high"),
    }
    assert not any(row["declared"] for row in rows.values())


def test_what_an_inventory_leaves_open_is_named() -> None:
    """A valid document may have gaps; those that an incident will ask for are told when it is checked."""
    assert gaps(systems.read(VENDED)) == []
    bare = b'version = 1\n[systems.s]\nscope = "x"\nthird_party = true\nregulations = ["magic"]\n[systems.s.models.m]'
    said = gaps(systems.read(bare))
    assert [
        word for word in ("magic", "vendor", "jurisdictions", "fallback") if not any(word in one for one in said)
    ] == []
    assert len(said) == 4


def test_what_falls_back_on_people_is_recommended_where_no_version_can() -> None:
    """The containment of a model without a known-good version names its fallback."""
    judge = Judge("", TriagePolicy(), systems.read(VENDED))
    said = recommend((Affected(model="urgency", version="3"),), judge)
    assert said.endswith("names no known-good version; until then: nurses sort by the paper protocol.")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('vendor = { name = "a", contact = "b" }', "third_party = true"),
        ('regulations = ["contract"]', "contract is no regime"),
        ('jurisdictions = ["Germany"]', "jurisdictions"),
        ('operator_role = "owner"', "operator_role"),
        ('third_party = true\nvendor = { name = "a", contact = "b", sla_hours = { fix = -1 } }', "sla_hours"),
    ],
)
def test_what_an_inventory_cannot_mean_is_refused(line: str, says: str) -> None:
    """Each mistake is named where it stands."""
    with pytest.raises(PolicyError, match=says):
        systems.read(f'version = 1\n[systems.s]\nscope = "x"\n{line}\n[systems.s.models.m]\n'.encode())


def registered(name: str = "credit", **given: Any) -> Registered:
    """Return a registered model."""
    facts: dict[str, Any] = {"name": name, "description": "", "versions": ("1", "2"), "aliases": {}}
    return Registered(**facts | given)


def test_a_draft_takes_over_what_the_registry_knows() -> None:
    """Description, versions, and what the serving alias names, are in a document that can be adopted."""
    found = systems.read(
        draft(
            [
                registered(description="Scores\nloans", aliases={"champion": "1", "a": "2"}),
                registered("Bad Name"),
                registered("old", versions=("8",), aliases={"prod": "3"}),
            ]
        ).encode()
    )
    assert found.systems["credit"].scope == "Scores loans"
    credit = found.systems["credit"].models["credit"]
    assert (credit.known_good, credit.registry) == ("1", "mlflow:credit/champion")
    assert found.systems["old"].models["old"].versions == ("3", "8")
    assert set(found.systems) == {"credit", "old"}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=30), st.text(max_size=6)), max_size=4))
def test_whatever_a_registry_holds_the_draft_is_valid(found: list[tuple[str, str, str]]) -> None:
    """Names, descriptions and aliases of strangers make no invalid document."""
    models = {name: registered(name, description=said, aliases={alias: alias}) for name, said, alias in found}
    systems.read(draft(list(models.values())).encode())


def test_a_draft_ends_where_a_document_is_full() -> None:
    """More models than one document can hold are counted."""
    document, left_out = fitting([registered(f"m{n:03}", description="x" * 500) for n in range(60)])
    assert len(systems.read(document.encode()).systems) == 60 - left_out
    assert 0 < left_out < 60
