"""When an audience must hear of a case again: by what its last message promised, and by the cadence of the policy."""

from agents.ledger.case import Case, Phase
from agents.ledger.control import Control
from schemas.case.messages import Audience


def due(control: Control, case: Case, audience: Audience) -> int | None:
    """Return when the audience must have heard (ms), or None where nothing is owed to it.

    A promise holds until something newer is sent or the case is closed, merged or dismissed; the policy's cadence
    while the response goes on, from the declaration and from each message.
    """
    messages = case.messages
    last = messages.last_sent(audience)
    owed: list[int] = []
    if last is not None and last.next_update_by and not case.phase.final:
        owed.append(last.next_update_by)
    every = control.policies[case.policy].communication.every_ms(case.severity, audience)
    if every and case.phase is not Phase.TRIAGE and not case.phase.over:
        owed.append(max(messages.since, last.sent_at if last else 0) + every)
    return min(owed, default=None)


def missed(control: Control, case: Case) -> tuple[Audience, ...]:
    """Return the audiences that wait for an update of which the ledger holds that it was missed."""
    return tuple(audience for audience in Audience if stands(control, case, audience))


def stands(control: Control, case: Case, audience: Audience) -> bool:
    """Whether it is told already that the update which the audience waits for was missed."""
    at = due(control, case, audience)
    return at is not None and at <= case.messages.missed.get(audience, -1)


def promised(case: Case) -> tuple[Audience, ...]:
    """Return the audiences whose last message promised another one."""
    return tuple(one for one in Audience if (last := case.messages.last_sent(one)) and last.next_update_by)
