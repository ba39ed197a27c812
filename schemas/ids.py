"""Ids derived from causes: the same cause gives the same id, so a repeat is known for one."""

from hashlib import sha256

ID_HEX = 32


def derive(*parts: str | int) -> str:
    """Return 32 hex digits of SHA-256 over the parts, each preceded by its length so that none run together."""
    hashed = sha256()
    for part in parts:
        data = (str(part) if isinstance(part, int) else part).encode("utf-8", "surrogatepass")
        hashed.update(len(data).to_bytes(8, "big"))
        hashed.update(data)
    return hashed.hexdigest()[:ID_HEX]
