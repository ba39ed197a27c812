"""Ids derived from causes: the same cause gives the same id, so a repeat is known for one."""

import re
from hashlib import sha256

ID_HEX = 32

_SOUND = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}")


def derive(*parts: str | int) -> str:
    """Return 32 hex digits of SHA-256 over the parts, each preceded by its length so that none run together."""
    hashed = sha256()
    for part in parts:
        data = (str(part) if isinstance(part, int) else part).encode("utf-8", "surrogatepass")
        hashed.update(len(data).to_bytes(8, "big"))
        hashed.update(data)
    return hashed.hexdigest()[:ID_HEX]


def sound(name: str) -> bool:
    """Whether a name may stand for a principal or an incident: 1 to 128 characters, safe in paths and sentences."""
    return _SOUND.fullmatch(name) is not None
