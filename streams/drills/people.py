"""The people of a scene: a key each, enrolled with their roles, and the on-call document that pages them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

import tomlkit

from schemas import oncall
from schemas.commands import EnrolKey
from schemas.drills import Scenario
from schemas.errors import PolicyError
from schemas.values import Role
from streams.ledger.genesis import enrolment, key_of
from streams.ledger.keyring import Identity
from streams.settings import DEPLOY, Settings

SCHEDULE = "primary"
_TAKES = "terminal"
_REFUSES = "unreachable"  # no machine sets up such a receiver, so whatever is sent there is refused
_LONG_AGO = "2020-01-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who plays whom in a scene."""

    identities: Mapping[str, Identity]

    @property
    def principals(self) -> dict[str, str]:
        """Each person's principal."""
        return {person: identity.principal for person, identity in self.identities.items()}

    @property
    def names(self) -> dict[str, str]:
        """The person behind each principal."""
        return {principal: person for person, principal in self.principals.items()}


def cast(settings: Settings, scene: str, scenario: Scenario) -> tuple[Cast, list[object]]:
    """Make a key for each person of a scene, and return them with what enrols them."""
    keys = {person: key_of(settings, f"{scene}-{person}") for person in scenario.people}
    bodies: list[object] = [
        EnrolKey(enrolment=enrolment(keys[person], *player.roles)) for person, player in scenario.people.items()
    ]
    return Cast(identities=keys), bodies


def on_call(scenario: Scenario, players: Cast, base: bytes | None = None) -> bytes:
    """Return the scene's on-call document: its people, and the policies of `base`, by default the deployed ones.

    All that stand in the schedule are on call together. A role is answered by the first person of the file who holds
    it, and by the first of all where nobody does. PolicyError where a policy asks for more than a drill has.
    """
    document = tomllib.loads((base or (DEPLOY / "oncall.toml").read_bytes()).decode("utf-8"))
    first = next(iter(scenario.people))
    duty = [person for person, player in scenario.people.items() if player.on_call] or [first]
    holder = dict.fromkeys([*document.get("roles", {}), *(one.value for one in Role if not one.service)], first)
    for person, player in reversed(scenario.people.items()):
        holder.update({role.value: person for role in player.roles})
    made = {
        "version": 1,
        "receivers": [_TAKES, _REFUSES],
        "people": {
            person: {
                "name": person.capitalize(),
                "principal": players.principals[person],
                "contacts": [_TAKES if player.reachable else _REFUSES],
            }
            for person, player in scenario.people.items()
        },
        "roles": {role: [f"user:{person}"] for role, person in holder.items()},
        "schedules": {SCHEDULE: {"zone": "UTC", "layers": [_layer(person) for person in duty]}},
        "policies": document["policies"],
    }
    text = tomlkit.dumps(made).encode()
    try:
        oncall.read(text, "the drill's on-call document")
    except PolicyError as error:
        raise PolicyError(f"{error}; a drill has the schedule {SCHEDULE}, and every role") from None
    return text


def _layer(person: str) -> dict[str, object]:
    start = tomlkit.date(_LONG_AGO)
    return {"name": person, "rotation": "daily", "members": [person], "start": start}
