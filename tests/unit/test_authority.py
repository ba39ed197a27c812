"""One table says which role may issue which command."""

import pytest

from agents.ledger.asked import TOPIC_OF
from schemas.authority import MAY, PERSONS_ONLY, permitted
from schemas.values import SERVICE_ROLES, Role


def test_every_role_is_in_the_table() -> None:
    """A role that is forgotten would raise."""
    assert set(MAY) == set(Role)


def test_every_command_but_the_first_is_somebodys() -> None:
    """Only the establishment of a ledger needs no role: its key stands in it."""
    granted = frozenset().union(*MAY.values())
    assert set(TOPIC_OF) - granted == {"EstablishLedger"}
    assert granted <= set(TOPIC_OF)


@pytest.mark.parametrize("role", sorted(SERVICE_ROLES))
@pytest.mark.parametrize("kind", sorted(PERSONS_ONLY))
def test_no_service_reaches_a_persons_command(role: Role, kind: str) -> None:
    """Not even beside a person's role."""
    assert not permitted(frozenset({role}), kind)
    assert not permitted(frozenset({role, Role.ADMIN, Role.ML_MANAGER}), kind)


@pytest.mark.parametrize("role", sorted(set(Role) - SERVICE_ROLES))
def test_no_person_reaches_a_services_command(role: Role) -> None:
    """Detection and actions are attested by services alone."""
    services = frozenset().union(*(MAY[service] for service in SERVICE_ROLES))
    assert not any(permitted(frozenset({role}), kind) for kind in services)


def test_nobody_may_do_what_is_unknown() -> None:
    """An unknown command, and an empty set of roles, are refused."""
    assert not permitted(frozenset(Role), "Unknown")
    assert not permitted(frozenset(), "Approve")
