"""What is kept of an incident outside the ledger, and how the ledger names it."""

from dataclasses import dataclass

OUTPUT_AUDIT = "output_audit"
"""The kind of evidence that says whether a model's outputs kept to the declared rules."""

LINEAGE = "lineage"
"""The kind of evidence that says where the affected versions come from: run, data, model card, signature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceAttached:
    """What bears on the case is kept under this digest (SHA-256 of the ciphertext, hexadecimal)."""

    incident: str
    kind: str
    digest: str
    rows: int
    summary: str
