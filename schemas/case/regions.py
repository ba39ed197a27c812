"""The commands and events of all regions of a case, and of what the ledger holds beside the cases."""

from schemas import delegation, oncall
from schemas.case import (
    action,
    approval,
    assessment,
    clocks,
    contracts,
    glass,
    hold,
    learning,
    messages,
    paging,
    people,
    reports,
    response,
    reviews,
    silences,
)
from schemas.evidence import EvidenceAttached
from schemas.profiles import ProfileAdopted

COMMANDS = (
    *approval.COMMANDS,
    *glass.COMMANDS,
    *delegation.COMMANDS,
    *people.COMMANDS,
    oncall.AdoptOnCall,
    *paging.COMMANDS,
    *reports.COMMANDS,
    *silences.COMMANDS,
    *learning.COMMANDS,
    *response.COMMANDS,
    *assessment.COMMANDS,
    *hold.COMMANDS,
    *clocks.COMMANDS,
    *contracts.COMMANDS,
    *reviews.COMMANDS,
    *messages.COMMANDS,
)
EVENTS = (
    *action.EVENTS,
    *approval.EVENTS,
    *glass.EVENTS,
    *delegation.EVENTS,
    ProfileAdopted,
    EvidenceAttached,
    *people.EVENTS,
    oncall.OnCallAdopted,
    *paging.EVENTS,
    *reports.EVENTS,
    *silences.EVENTS,
    *learning.EVENTS,
    *response.EVENTS,
    *assessment.EVENTS,
    *hold.EVENTS,
    *clocks.EVENTS,
    *contracts.EVENTS,
    *reviews.EVENTS,
    *messages.EVENTS,
)
