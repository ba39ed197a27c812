"""How a decision says no: a refusal is an event, because it must be audited."""

from agents.ledger.asked import Asked
from schemas.events import Refused


def refuse(asked: Asked, reason: str, detail: str) -> list[object]:
    """Return the refusal of a command; `reason` is one word to count by, `detail` a sentence to read."""
    return [Refused(incident=asked.incident, kind=asked.kind, reason=reason, detail=detail)]


MAX_TEXT = 4_000


def unsaid(asked: Asked, text: str) -> list[object] | None:
    """Return the refusal of a command whose reason is empty or too long, or None."""
    if len(text.strip()) > 0 and len(text) <= MAX_TEXT:
        return None
    return refuse(asked, "bad_reason", f"say why, in 1 to {MAX_TEXT} characters")
