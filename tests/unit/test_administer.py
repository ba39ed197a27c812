"""Keys, policy, systems and registrar change by the right word, within limits that keep the ledger usable."""

from dataclasses import replace

import pytest

from agents.ledger.control import Control
from agents.ledger.decisions import administer
from schemas import commands as c
from schemas.documents import MAX_DOCUMENT_BYTES, digest
from schemas.errors import KeyRefusedError
from schemas.profiles import AdoptProfile
from schemas.values import Role
from tests.ledgers import (
    INCIDENT,
    POLICY,
    ROLES,
    SYSTEMS,
    Ledger,
    enrolment,
    established,
    establishment,
    genesis,
    key_of,
    names,
    reason,
)


@pytest.fixture
def ledger() -> Ledger:
    """A ledger with keys, policy and systems."""
    return genesis()


def take_over(ledger: Ledger, epoch: int, void_from: int) -> list[object]:
    """Have the registrar take over."""
    return ledger.ask(c.TakeOver(epoch=epoch, void_from=void_from), "registrar")


def test_a_ledger_begins_once(ledger: Ledger) -> None:
    """A second establishment is refused, whoever asks."""
    assert reason(ledger.ask(establishment(), "ada")) == "established"
    assert ledger.control.ledger == "play"


def test_every_founding_key_is_enrolled(ledger: Ledger) -> None:
    """The keys of the establishment act for their principals."""
    assert {held.principal for held in ledger.control.keys.values()} == {f"p-{who}" for who in ROLES}


def test_a_registrar_takes_over_in_its_turn(ledger: Ledger) -> None:
    """Epochs follow one another; what counts already cannot be declared void."""
    size = len(ledger.leaves)
    assert reason(take_over(ledger, 2, size)) == "epoch"
    assert reason(take_over(ledger, 1, size)) == "final"
    assert names(take_over(ledger, 1, size + 2)) == ["RegistrarTookOver"]
    assert reason(take_over(ledger, 1, size + 3)) == "epoch"
    assert names(take_over(ledger, 2, size + 9)) == ["RegistrarTookOver"]
    assert ledger.control.epoch == 2


def test_a_new_key_acts_from_the_next_entry_on(ledger: Ledger) -> None:
    """A principal may have several keys, and roles add up."""
    with pytest.raises(KeyRefusedError, match="not enrolled"):
        ledger.ask(c.Acknowledge(incident=INCIDENT, note=""), "eva-2")
    body = c.EnrolKey(enrolment=enrolment("eva-2", Role.SRE, principal="p-eva"))
    assert names(ledger.ask(body, "ada")) == ["KeyEnrolled"]
    asked = ledger.state.ask(ledger.statement(c.Acknowledge(incident=INCIDENT, note=""), "eva-2"))
    assert asked.roles == {Role.ML_ENGINEER, Role.SRE}


@pytest.mark.parametrize(
    ("enrolled", "why"),
    [
        (enrolment("new", Role.SRE, principal="has a space"), "bad_principal"),
        (c.Enrolment(principal="p-new", public_key=b"", roles=(Role.SRE,)), "weak_key"),
        (c.Enrolment(principal="p-new", public_key=b"\1" + b"\0" * 31, roles=(Role.SRE,)), "weak_key"),
        (enrolment("max", Role.SRE), "enrolled"),
        (enrolment("new"), "no_role"),
        (enrolment("new", Role.SRE, Role.TRIAGE), "mixed_roles"),
        (enrolment("new", Role.TRIAGE, principal="p-max"), "mixed_roles"),
        (enrolment("new", Role.ML_MANAGER, principal="p-triage"), "mixed_roles"),
    ],
)
def test_an_unsound_enrolment_is_refused(ledger: Ledger, enrolled: c.Enrolment, why: str) -> None:
    """No weak or second key, no principal without a role, and none that is person and service."""
    assert reason(ledger.ask(c.EnrolKey(enrolment=enrolled), "ada")) == why


def test_a_revoked_key_stays_revoked(ledger: Ledger) -> None:
    """It can be revoked once and never be enrolled again."""
    revoke = c.RevokeKey(key=key_of("max").key_id, reason="left")
    assert names(ledger.ask(revoke, "ada")) == ["KeyRevoked"]
    assert reason(ledger.ask(replace(revoke, repeat=1), "ada")) == "unknown_key"
    assert reason(ledger.ask(c.EnrolKey(enrolment=enrolment("max", Role.SRE)), "ada")) == "enrolled"
    assert reason(ledger.ask(c.RevokeKey(key="none", reason=""), "ada")) == "unknown_key"


def test_the_last_admin_stays(ledger: Ledger) -> None:
    """A ledger that nobody could administer is refused; with a second admin's key the first can go."""
    revoke = c.RevokeKey(key=key_of("ada").key_id, reason="left")
    assert reason(ledger.ask(revoke, "ada")) == "last_admin"
    ledger.ask(c.EnrolKey(enrolment=enrolment("bob", Role.ADMIN)), "ada")
    assert names(ledger.ask(replace(revoke, repeat=1), "ada")) == ["KeyRevoked"]
    assert reason(ledger.ask(c.RevokeKey(key=key_of("bob").key_id, reason=""), "bob")) == "last_admin"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (c.AdoptPolicy(document=b"version = 3"), "bad_policy"),
        (c.AdoptPolicy(document=b"\xff"), "bad_policy"),
        (c.AdoptPolicy(document=b"#" * (MAX_DOCUMENT_BYTES + 1)), "bad_policy"),
        (c.AdoptPolicy(document=b"a = " + b"[" * 20_000), "bad_policy"),
        (c.AdoptPolicy(document=POLICY, repeat=1), "in_force"),
        (c.AdoptSystems(document=b"systems = 1"), "bad_systems"),
        (c.AdoptSystems(document=SYSTEMS, repeat=1), "in_force"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_document_that_cannot_be_used_is_refused(ledger: Ledger, body: object, why: str) -> None:
    """The refusal quotes no library: its next version would word it otherwise, and the ledger would differ."""
    refused = ledger.ask(body, "ada")
    assert reason(refused) == why
    assert not any(word in str(refused[0]).lower() for word in ("pydantic", "line ", "input should"))


def test_documents_are_known_by_their_digest(ledger: Ledger) -> None:
    """Control keeps every policy by digest, and the systems in force."""
    assert ledger.control.policy_digest == digest(POLICY)
    assert ledger.control.systems_digest == digest(SYSTEMS)
    assert ledger.control.policy is not None
    assert established().control.policy is None


def test_an_earlier_policy_can_be_adopted_once_more(ledger: Ledger) -> None:
    """Going back needs a new statement: an old one that is sent again adds nothing."""
    back = c.AdoptPolicy(document=POLICY)
    old = ledger.statement(back, "ada")
    ledger.ask(c.AdoptPolicy(document=POLICY + b"\n# stricter\n"), "ada")
    assert ledger.submit(old) == []
    assert names(ledger.ask(replace(back, repeat=1), "ada")) == ["PolicyAdopted"]
    assert len(ledger.control.policies) == 2


@pytest.mark.parametrize("who", sorted(set(ROLES) - {"ada"}))
def test_only_an_admin_administers(ledger: Ledger, who: str) -> None:
    """Everybody else, person or service, is refused by role."""
    for body in (
        c.EnrolKey(enrolment=enrolment("new", Role.SRE)),
        c.RevokeKey(key=key_of("max").key_id, reason=""),
        c.AdoptPolicy(document=POLICY),
        c.AdoptSystems(document=SYSTEMS),
    ):
        assert reason(ledger.ask(body, who)) == "wrong_role"


def test_a_command_about_an_incident_is_none_of_its_business(ledger: Ledger) -> None:
    """What is not about the ledger is left to others."""
    asked = ledger.state.ask(ledger.statement(c.Acknowledge(incident=INCIDENT, note=""), "eva"))
    assert administer.decide(Control(), asked) is None


def test_a_profile_is_adopted_for_a_model_version(ledger: Ledger) -> None:
    """The newest digest judges the version; the same again is refused, an earlier one may be said again."""
    one, other = "ab" * 32, "cd" * 32
    assert names(ledger.ask(AdoptProfile(model="m", version="3", digest=one), "max")) == ["ProfileAdopted"]
    assert names(ledger.ask(AdoptProfile(model="m", version="3", digest=other), "ada")) == ["ProfileAdopted"]
    assert reason(ledger.ask(AdoptProfile(model="m", version="3", digest=other), "max")) == "in_force"
    assert names(ledger.ask(AdoptProfile(model="m", version="3", digest=one, repeat=1), "max")) == ["ProfileAdopted"]
    assert dict(ledger.control.profiles) == {("m", "3"): one}


@pytest.mark.parametrize("wrong", [{"model": ""}, {"version": "v" * 257}, {"digest": "AB" * 32}, {"digest": ""}])
def test_a_profile_without_name_or_digest_is_refused(ledger: Ledger, wrong: dict[str, str]) -> None:
    """A model, a version and a SHA-256 are needed."""
    body = AdoptProfile(**{"model": "m", "version": "3", "digest": "ab" * 32, **wrong})
    assert reason(ledger.ask(body, "ada")) == "bad_profile"
