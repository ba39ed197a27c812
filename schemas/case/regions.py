"""The commands and events of all regions of a case, and of what the ledger holds beside the cases."""

from schemas.case import learning, people
from schemas.evidence import EvidenceAttached
from schemas.profiles import ProfileAdopted

COMMANDS = (
    *people.COMMANDS,
    *learning.COMMANDS,
)
EVENTS = (ProfileAdopted, EvidenceAttached, *people.EVENTS, *learning.EVENTS)
