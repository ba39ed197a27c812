"""How a decision says no: a refusal is an event, because it must be audited."""

from agents.ledger.asked import Asked
from schemas.events import Refused


def refuse(asked: Asked, reason: str, detail: str) -> list[object]:
    """Return the refusal of a command; `reason` is one word to count by, `detail` a sentence to read."""
    return [Refused(incident=asked.incident, kind=asked.kind, reason=reason, detail=detail)]
