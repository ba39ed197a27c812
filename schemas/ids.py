"""Ids derived from causes, so that the same input names the same thing on every replay."""

import hashlib


def derive(*parts: str | int) -> str:
    """Return 32 hexadecimal digits that name these parts; each is prefixed by its length, so that none runs into the next."""
    digest = hashlib.sha256()
    for part in parts:
        text = str(part).encode("utf-8", "surrogatepass")
        kind = b"i" if isinstance(part, int) else b"s"
        digest.update(kind + len(text).to_bytes(8, "big") + text)
    return digest.hexdigest()[:32]
