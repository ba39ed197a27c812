"""What a ledger may begin with: sound and distinct keys, roles that do not mix, an admin, and a log that can sign."""

import re

from agents.ledger.control import Enrolled
from schemas.commands import Enrolment, EstablishLedger
from schemas.errors import KeyRefusedError
from schemas.ids import sound
from schemas.keys import PublicKey
from schemas.note import ED25519, Verifier
from schemas.values import Role

MAX_ENROLMENTS = 64
MAX_NONCE = 64
_LEDGER = re.compile(r"[a-z][a-z0-9-]{0,40}")


def mixed(roles: frozenset[Role]) -> bool:
    """Whether the roles are of persons and of services: a principal is one or the other."""
    return len({role.service for role in roles}) > 1


def _enrol(keys: dict[str, Enrolled], roles: dict[str, frozenset[Role]], enrolment: Enrolment) -> None:
    principal = enrolment.principal
    if not sound(principal):
        raise KeyRefusedError("a principal is named by 1 to 128 letters, digits and . _ : @ -")
    public = PublicKey(enrolment.public_key)
    if public.key_id in keys:
        raise KeyRefusedError(f"key {public.key_id} is enrolled twice")
    if not enrolment.roles or len(set(enrolment.roles)) < len(enrolment.roles):
        raise KeyRefusedError(f"{principal} needs at least one role, and each once")
    keys[public.key_id] = Enrolled(principal=principal, public=public)
    roles[principal] = roles.get(principal, frozenset()) | frozenset(enrolment.roles)
    if mixed(roles[principal]):
        raise KeyRefusedError(f"{principal} is a person or a service, never both")


def founder(body: EstablishLedger, key: str) -> Enrolled:
    """Return the admin whose key establishes the ledger; KeyRefusedError where it may not begin so."""
    if not _LEDGER.fullmatch(body.ledger):
        raise KeyRefusedError("a ledger is named by a letter and up to 40 of a-z, 0-9 and -")
    if Verifier.from_vkey(body.log_key).algorithm != ED25519:
        raise KeyRefusedError("the log signs with a plain Ed25519 key, not with a witness's")
    if len(body.nonce) > MAX_NONCE:
        raise KeyRefusedError(f"the nonce has at most {MAX_NONCE} bytes")
    if len(body.enrolments) > MAX_ENROLMENTS:
        raise KeyRefusedError(f"a ledger begins with at most {MAX_ENROLMENTS} keys; enrol the others afterwards")
    keys: dict[str, Enrolled] = {}
    roles: dict[str, frozenset[Role]] = {}
    for enrolment in body.enrolments:
        _enrol(keys, roles, enrolment)
    found = keys.get(key)
    if found is None or Role.ADMIN not in roles[found.principal]:
        raise KeyRefusedError("a ledger is established by the key of an admin whom it enrols")
    return found
