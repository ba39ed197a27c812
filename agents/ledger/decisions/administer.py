"""Decide on commands about the ledger itself: its beginning, its registrar, keys, policy and systems."""

import re

from agents.ledger.asked import Asked
from agents.ledger.control import Control
from agents.ledger.founding import mixed
from agents.ledger.refusal import refuse
from schemas import commands as c
from schemas import documents, policy, systems
from schemas.errors import KeyRefusedError, PolicyError
from schemas.events import (
    KeyEnrolled,
    KeyRevoked,
    LedgerEstablished,
    PolicyAdopted,
    RegistrarTookOver,
    SystemsAdopted,
)
from schemas.ids import sound
from schemas.keys import PublicKey
from schemas.profiles import AdoptProfile, ProfileAdopted
from schemas.values import Role

MAX_MODEL_NAME = 256
_DIGEST = re.compile(r"[0-9a-f]{64}")


def establish(control: Control, asked: Asked, body: c.EstablishLedger) -> list[object]:
    """Begin the ledger, once."""
    if control.genesis:
        return refuse(asked, "established", "the ledger has already begun")
    return [LedgerEstablished(ledger=body.ledger, log_key=body.log_key, enrolments=body.enrolments)]


def take_over(control: Control, asked: Asked, body: c.TakeOver) -> list[object]:
    """Make one registrar active: the epoch it names must be the next one, and no entry that counts may become void."""
    if body.epoch != control.epoch + 1:
        return refuse(asked, "epoch", f"epoch {body.epoch} does not follow {control.epoch}")
    if body.void_from < control.next_index:
        return refuse(asked, "final", f"entries before {control.next_index} are final")
    return [RegistrarTookOver(epoch=body.epoch, void_from=body.void_from)]


def enrol(control: Control, asked: Asked, body: c.EnrolKey) -> list[object]:
    """Enrol a key that is sound and new, for a principal who is a person or a service, never both."""
    enrolment = body.enrolment
    if not sound(enrolment.principal):
        return refuse(asked, "bad_principal", "a principal is named by 1 to 128 letters, digits and . _ : @ -")
    try:
        public = PublicKey(enrolment.public_key)
    except KeyRefusedError:
        return refuse(asked, "weak_key", "the public key is not sound; its owner must make a new one")
    if public.key_id in control.keys:
        return refuse(asked, "enrolled", f"key {public.key_id} is enrolled already")
    held = control.roles.get(enrolment.principal, frozenset()) | frozenset(enrolment.roles)
    if not held:
        return refuse(asked, "no_role", "a principal needs at least one role")
    if mixed(held):
        return refuse(asked, "mixed_roles", "a principal is a person or a service, never both")
    return [KeyEnrolled(enrolment=enrolment)]


def revoke_key(control: Control, asked: Asked, body: c.RevokeKey) -> list[object]:
    """End a key, unless nobody could administer the ledger afterwards."""
    enrolled = control.keys.get(body.key)
    if enrolled is None or enrolled.revoked:
        return refuse(asked, "unknown_key", f"key {body.key} is not in force")
    admins = [
        key
        for key, held in control.keys.items()
        if not held.revoked and Role.ADMIN in control.roles.get(held.principal, frozenset())
    ]
    if admins == [body.key]:
        return refuse(asked, "last_admin", "this is the last key of an admin; enrol another first")
    return [KeyRevoked(key=body.key, reason=body.reason)]


def adopt_policy(control: Control, asked: Asked, body: c.AdoptPolicy) -> list[object]:
    """Judge by a valid policy from now on."""
    try:
        policy.read(body.document)
    except PolicyError:  # its sentence quotes libraries, whose next version would word it otherwise
        return refuse(asked, "bad_policy", "the document is no valid policy: `headgate policy check` says where")
    digest = documents.digest(body.document)
    if digest == control.policy_digest:
        return refuse(asked, "in_force", "this policy is in force already")
    return [PolicyAdopted(digest=digest, document=body.document)]


def adopt_systems(control: Control, asked: Asked, body: c.AdoptSystems) -> list[object]:
    """Watch validly declared systems from now on."""
    try:
        declared = systems.read(body.document)
    except PolicyError:
        return refuse(asked, "bad_systems", "the document is not valid: `headgate systems check` says where")
    for name, system in declared.systems.items():
        turned = [model for model in system.models if control.kinds.get(model, system.drill) is not system.drill]
        if turned:
            said = f"{name}: {turned[0]} is real or a drill's for good; give the drill's model a name of its own"
            return refuse(asked, "drill", said)
    digest = documents.digest(body.document)
    if digest == control.systems_digest:
        return refuse(asked, "in_force", "these systems are declared already")
    return [SystemsAdopted(digest=digest, document=body.document)]


def adopt_profile(control: Control, asked: Asked, body: AdoptProfile) -> list[object]:
    """Judge a model version against a profile from now on; its bytes are found by its digest."""
    if not all(0 < len(name) <= MAX_MODEL_NAME for name in (body.model, body.version)):
        return refuse(asked, "bad_profile", f"a model and a version have 1 to {MAX_MODEL_NAME} characters")
    if _DIGEST.fullmatch(body.digest) is None:
        return refuse(asked, "bad_profile", "a profile is named by a SHA-256 as 64 small hexadecimal digits")
    if control.profiles.get((body.model, body.version)) == body.digest:
        return refuse(asked, "in_force", "the model version is judged against this profile already")
    return [ProfileAdopted(model=body.model, version=body.version, digest=body.digest)]


def decide(control: Control, asked: Asked) -> list[object] | None:
    """Return the events of a command about the ledger, or None for a command about an incident."""
    match asked.body:
        case c.EstablishLedger():
            return establish(control, asked, asked.body)
        case c.TakeOver():
            return take_over(control, asked, asked.body)
        case c.EnrolKey():
            return enrol(control, asked, asked.body)
        case c.RevokeKey():
            return revoke_key(control, asked, asked.body)
        case c.AdoptPolicy():
            return adopt_policy(control, asked, asked.body)
        case c.AdoptSystems():
            return adopt_systems(control, asked, asked.body)
        case AdoptProfile():
            return adopt_profile(control, asked, asked.body)
    return None
