"""Who decides in whose place, and how often standing approvals were used lately: what the ledger holds beside cases."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from schemas.case.glass import StandingApprovalUsed
from schemas.delegation import Delegated, DelegationRevoked

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """One person decides in another's place until `until` (ms); `key` is the key that said so."""

    principal: str
    key: str
    to: str
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deputies:
    """Delegations by (principal, to), and when each standing rule was used in the last 24 hours."""

    delegations: Mapping[tuple[str, str], Delegation] = field(default_factory=dict)
    used: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def uses(self, rule: str, at: int) -> int:
        """Return how often a standing rule was used in the 24 hours before `at` (ms)."""
        return sum(at - DAY_MS < then for then in self.used.get(rule, ()))


def evolve(deputies: Deputies, event: object) -> Deputies:
    """Return the deputies after an event; others leave them as they are."""
    known = deputies.delegations
    match event:
        case Delegated():
            made = Delegation(principal=event.principal, key=event.key, to=event.to, until=event.until)
            return replace(deputies, delegations={**known, (event.principal, event.to): made})
        case DelegationRevoked():
            left = {pair: one for pair, one in known.items() if pair != (event.principal, event.to)}
            return replace(deputies, delegations=left)
        case StandingApprovalUsed():
            recent = tuple(then for then in deputies.used.get(event.rule, ()) if event.at - DAY_MS < then)
            return replace(deputies, used={**deputies.used, event.rule: (*recent, event.at)})
    return deputies
