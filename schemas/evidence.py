"""What is kept of an incident outside the ledger, and how the ledger names it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceAttached:
    """What bears on the case is kept under this digest (SHA-256 of the ciphertext, hexadecimal)."""

    incident: str
    kind: str
    digest: str
    rows: int
    summary: str
