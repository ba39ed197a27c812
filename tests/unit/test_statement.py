"""Signed statements on their topics: what is read back is what was signed, and anything else is a SchemaError."""

from dataclasses import replace

import pytest

from agents.ledger.asked import authenticate, sign
from agents.ledger.statement import KEY, ORIGIN, SIGNATURE, command_of, headers_of, signed_headers
from schemas.codec import frame
from schemas.errors import KeyRefusedError, SchemaError
from schemas.ledger import MAX_COMMAND_BYTES, Command
from schemas.signals import IncidentGrew, IncidentOpened, IncidentQuieted
from tests import play
from tests.ledgers import INCIDENT, genesis, key_of

LEDGER = genesis()
ORIGIN_OF = LEDGER.control.genesis
INCIDENTS = (play.incident_opened(), play.incident_grew(), play.incident_quieted())
OPENED = frame(INCIDENTS[0])
HEADERS = signed_headers(INCIDENTS[0], ORIGIN_OF, key_of("triage"))


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: type(incident).__name__)
def test_an_incident_and_its_headers_are_the_statement_that_was_signed(
    incident: IncidentOpened | IncidentGrew | IncidentQuieted,
) -> None:
    """The record stays plain Avro for any subscriber, and the ledger still sees who signed it."""
    headers = [("trace", b"x"), *signed_headers(incident, ORIGIN_OF, key_of("triage")), ("none", None)]
    command = command_of("incidents", frame(incident), headers)
    assert command == sign(incident, ORIGIN_OF, key_of("triage"))
    asked = authenticate(LEDGER.control, command)
    assert (asked.body, asked.principal, asked.incident) == (incident, "p-triage", INCIDENT)


def test_a_command_stands_whole_in_its_value() -> None:
    """Headers say nothing there."""
    command = sign(play.proposal(), ORIGIN_OF, key_of("remediation"))
    assert command_of("commands", frame(command), [(KEY, b"other")]) == command
    assert headers_of(command)[1] == (KEY, command.key.encode())


@pytest.mark.parametrize("name", [ORIGIN, KEY, SIGNATURE])
def test_each_header_stands_exactly_once_and_is_not_too_long(name: str) -> None:
    """Missing, twice, without a value or a byte too long: refused with the header's name."""
    others = [header for header in HEADERS if header[0] != name]
    (own,) = [header for header in HEADERS if header[0] == name]
    for wrong in ([], [own, own], [(name, None)], [(name, b"x" * 65)], [(name.upper(), own[1])]):
        with pytest.raises(SchemaError, match=f"exactly one header {name} of at most 64 bytes"):
            command_of("incidents", OPENED, [*others, *wrong])


@pytest.mark.parametrize("name", [ORIGIN, KEY])
def test_names_in_headers_are_ascii(name: str) -> None:
    """Other bytes are refused, not guessed."""
    headers = [(key, b"\xc3\xa9" if key == name else value) for key, value in HEADERS]
    with pytest.raises(SchemaError, match=f"header {name} is not ASCII"):
        command_of("incidents", OPENED, headers)


@pytest.mark.parametrize(
    ("topic", "value", "said"),
    [
        ("commands", None, "not bytes"),
        ("incidents", None, "not bytes"),
        ("commands", OPENED, "not a record of this topic"),
        ("incidents", frame(sign(INCIDENTS[0], "", key_of("triage"))), "not a record of this topic"),
        ("incidents", OPENED[:-1], "end"),
        ("incidents", OPENED + b"\0", "follow"),
        ("commands", b"\0" * (2 * MAX_COMMAND_BYTES + 1), "limit"),
        ("incidents", b"\0" * (2 * MAX_COMMAND_BYTES + 1), "limit"),
    ],
    ids=["none", "none-either", "wrong-topic", "command-among-incidents", "cut", "more", "huge", "huge-either"],
)
def test_a_value_that_is_no_statement_is_refused(topic: str, value: bytes | None, said: str) -> None:
    """Whatever stands on the topic, the answer is a SchemaError."""
    with pytest.raises(SchemaError, match=said):
        command_of(topic, value, HEADERS)


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (OPENED, signed_headers(INCIDENTS[0], "another ledger", key_of("triage"))),
        (OPENED, signed_headers(INCIDENTS[0], ORIGIN_OF, key_of("thief"))),
        (OPENED, [*HEADERS[:2], (SIGNATURE, b"")]),
        (OPENED, [*HEADERS[:2], (SIGNATURE, HEADERS[2][1][:-1])]),
        (OPENED, signed_headers(INCIDENTS[1], ORIGIN_OF, key_of("triage"))),
        (frame(replace(INCIDENTS[0], title="another")), HEADERS),
    ],
    ids=["ledger", "stranger", "unsigned", "cut-signature", "other-statement", "changed"],
)
def test_what_was_not_signed_is_not_authentic(value: bytes, headers: list[tuple[str, bytes | None]]) -> None:
    """It reads as a statement, and its signature, key or origin refuses it."""
    command = command_of("incidents", value, headers)
    assert isinstance(command, Command)
    with pytest.raises(KeyRefusedError):
        authenticate(LEDGER.control, command)
