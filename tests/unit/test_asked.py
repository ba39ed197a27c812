"""A command is believed for its key, origin, topic, incident and schema, or not at all."""

from dataclasses import replace
from typing import Any

import pytest

from agents.ledger.asked import Asked, authenticate, incident_of, sign
from agents.ledger.control import Control
from agents.ledger.founding import MAX_ENROLMENTS, MAX_NONCE
from schemas import commands as c
from schemas.errors import HeadgateError, KeyRefusedError, SchemaError
from schemas.ledger import MAX_COMMAND_BYTES, Command
from schemas.note import COSIGNATURE_V1, Verifier
from schemas.values import Role
from tests.ledgers import INCIDENT, Ledger, enrolment, established, establishment, key_of
from tests.play import incident_opened

NOTE = c.Acknowledge(incident=INCIDENT, note="on it")


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    """A ledger with its keys."""
    return established()


@pytest.fixture
def command(ledger: Ledger) -> Command:
    """An authentic command of the engineer."""
    return sign(NOTE, ledger.control.genesis, key_of("eva"))


def test_an_authentic_command_says_who_asks(ledger: Ledger, command: Command) -> None:
    """Principal, roles and incident come from the ledger and the signed bytes."""
    asked = authenticate(ledger.control, command)
    assert isinstance(asked, Asked)
    assert (asked.kind, asked.incident, asked.principal) == ("Acknowledge", INCIDENT, "p-eva")
    assert (asked.roles, asked.body, asked.key) == (frozenset({Role.ML_ENGINEER}), NOTE, key_of("eva").key_id)


def test_a_statement_is_named_by_what_was_signed_and_by_whom(ledger: Ledger, command: Command) -> None:
    """The same words of the same key are one statement; of another key, or other words, they are another."""
    statement = authenticate(ledger.control, command).statement
    other = sign(NOTE, ledger.control.genesis, key_of("max"))
    again = sign(replace(NOTE, repeat=1), ledger.control.genesis, key_of("eva"))
    assert sign(NOTE, ledger.control.genesis, key_of("eva")) == command
    assert len({statement, *(authenticate(ledger.control, each).statement for each in (other, again))}) == 3


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"body": b"x" * (MAX_COMMAND_BYTES + 1)}, SchemaError, "at most"),
        ({"topic": "incidents"}, KeyRefusedError, "not a command of the topic"),
        ({"kind": "Unknown" * 100}, KeyRefusedError, "not a command of the topic"),
        ({"kind": "Declare"}, SchemaError, "no schema of 'Declare'"),
        ({"scheme": "none"}, KeyRefusedError, "scheme none"),
        ({"origin": ""}, KeyRefusedError, "another ledger"),
        ({"origin": "0" * 64}, KeyRefusedError, "another ledger"),
        ({"fingerprint": b""}, SchemaError, "fingerprint"),
        ({"body": b""}, SchemaError, "not a Acknowledge"),
        ({"incident": "other"}, KeyRefusedError, "another incident"),
        ({"key": "0" * 16}, KeyRefusedError, "not enrolled"),
        ({"key": key_of("max").key_id}, KeyRefusedError, "does not verify"),
        ({"signature": b""}, KeyRefusedError, "does not verify"),
        ({"signature": b"\0" * 64}, KeyRefusedError, "does not verify"),
    ],
    ids=str,
)
def test_a_command_with_anything_changed_is_not_believed(
    ledger: Ledger, command: Command, changes: dict[str, Any], error: type[HeadgateError], says: str
) -> None:
    """Every field is bound to the signature or to the ledger."""
    with pytest.raises(error, match=says):
        authenticate(ledger.control, replace(command, **changes))


def test_a_changed_word_is_not_believed(ledger: Ledger, command: Command) -> None:
    """A body that decodes but is not what was signed does not verify."""
    other = sign(replace(NOTE, note="off it"), ledger.control.genesis, key_of("eva"))
    with pytest.raises(KeyRefusedError, match="does not verify"):
        authenticate(ledger.control, replace(command, body=other.body))


def test_the_schema_is_part_of_what_is_signed(ledger: Ledger) -> None:
    """A body of one schema cannot pass for a body of another, even where the bytes would decode."""
    from schemas.keys import preimage

    command = sign(NOTE, ledger.control.genesis, key_of("eva"))
    without = key_of("eva").sign(preimage(command.origin, command.topic, command.kind, command.incident, command.body))
    with pytest.raises(KeyRefusedError, match="does not verify"):
        authenticate(ledger.control, replace(command, signature=without))


def test_a_revoked_key_is_not_believed() -> None:
    """A key counts until the entry that revokes it, and not after."""
    ledger = established()
    before = ledger.statement(NOTE, "eva")
    assert ledger.state.ask(before).principal == "p-eva"
    ledger.ask(c.RevokeKey(key=key_of("eva").key_id, reason="lost"), "ada")
    with pytest.raises(KeyRefusedError, match="was revoked"):
        ledger.state.ask(before)


def test_an_incident_of_the_incidents_topic_is_a_command() -> None:
    """Triage's records name their incident by id."""
    command = sign(incident_opened(), "", key_of("triage"))
    assert (command.topic, command.incident) == ("incidents", INCIDENT)
    assert incident_of(object()) == ""
    assert incident_of(replace(incident_opened(), id=1)) == ""  # type: ignore[arg-type]


def founding(**changes: Any) -> Command:
    """Return the first command of a ledger, signed by the admin."""
    return sign(establishment(**changes), "", key_of("ada"))


ADMIN = enrolment("ada", Role.ADMIN)


def test_a_ledger_begins_with_the_key_of_an_admin() -> None:
    """The founder's key stands in the command itself."""
    asked = authenticate(Control(), founding())
    assert (asked.principal, asked.roles) == ("p-ada", frozenset({Role.ADMIN}))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"ledger": ""}, "a ledger is named"),
        ({"ledger": "Play\n"}, "a ledger is named"),
        ({"log_key": ""}, "a verifier key is"),
        ({"log_key": "play+00000000+AA=="}, "32 bytes"),
        ({"log_key": Verifier("play", key_of("log").public, COSIGNATURE_V1).to_vkey()}, "not with a witness's"),
        ({"nonce": b"x" * (MAX_NONCE + 1)}, "nonce"),
        ({"enrolments": ()}, "key of an admin"),
        ({"enrolments": (enrolment("ada", Role.ML_MANAGER),)}, "key of an admin"),
        ({"enrolments": (enrolment("max", Role.ADMIN),)}, "key of an admin"),
        ({"enrolments": (ADMIN, ADMIN)}, "enrolled twice"),
        ({"enrolments": (ADMIN, enrolment("ada", Role.ML_MANAGER, principal="p-2"))}, "enrolled twice"),
        ({"enrolments": (enrolment("ada", Role.ADMIN, principal="rule x"),)}, "a principal is named"),
        ({"enrolments": (ADMIN, enrolment("max"))}, "at least one role"),
        ({"enrolments": (ADMIN, enrolment("max", Role.SRE, Role.SRE))}, "each once"),
        ({"enrolments": (ADMIN, enrolment("max", Role.SRE, Role.TRIAGE))}, "never both"),
        ({"enrolments": (ADMIN, enrolment("max", Role.TRIAGE, principal="p-ada"))}, "never both"),
        ({"enrolments": (ADMIN, c.Enrolment(principal="x", public_key=b"\0" * 32, roles=(Role.SRE,)))}, "low order"),
        ({"enrolments": (ADMIN, c.Enrolment(principal="x", public_key=b"short", roles=(Role.SRE,)))}, "32 bytes"),
        ({"enrolments": tuple(enrolment(f"k{n}", Role.SRE) for n in range(MAX_ENROLMENTS + 1))}, "at most"),
    ],
)
def test_a_ledger_does_not_begin_with_anything_unsound(changes: dict[str, Any], says: str) -> None:
    """Nothing weak, doubled, mixed or without an admin can be the first entry."""
    with pytest.raises(KeyRefusedError, match=says):
        authenticate(Control(), founding(**changes))


def test_a_ledger_begins_with_nothing_else() -> None:
    """Before the establishment no command is believed."""
    with pytest.raises(KeyRefusedError, match="must establish it"):
        authenticate(Control(), sign(NOTE, "", key_of("ada")))


def test_a_founder_who_did_not_sign_is_not_believed() -> None:
    """The signature of the establishment is checked like any other."""
    with pytest.raises(KeyRefusedError, match="does not verify"):
        authenticate(Control(), replace(founding(), signature=key_of("max").sign(b"")))


def test_a_principal_may_begin_with_two_keys() -> None:
    """Several keys may act for one person, whose roles add up."""
    enrolments = (ADMIN, enrolment("ada-2", Role.ML_MANAGER, principal="p-ada"))
    ledger = established(enrolments=enrolments)
    assert ledger.control.roles == {"p-ada": frozenset({Role.ADMIN, Role.ML_MANAGER})}
