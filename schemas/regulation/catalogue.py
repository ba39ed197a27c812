"""Every regime that Headgate knows, by name, with a version and a digest; and clocks that a contract brings."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from hashlib import sha256
from types import MappingProxyType

from schemas.errors import PolicyError
from schemas.regulation import eu_ai, eu_security, health, us
from schemas.regulation.clocks import Clock, Offset, Regime, Trigger
from schemas.regulation.words import says

CATALOGUE_VERSION = "2026-11-21"
"""The version of the data; a change to any of it needs another one (a test pins the digest)."""

REGIMES: Mapping[str, Regime] = MappingProxyType(
    {regime.name: regime for regime in (*eu_ai.REGIMES, *eu_security.REGIMES, *health.REGIMES, *us.REGIMES)}
)
"""The regimes by name, in the order in which they are listed."""


def regime_named(name: str) -> Regime:
    """Return the regime; PolicyError where there is none of that name."""
    try:
        return REGIMES[name]
    except KeyError:
        raise PolicyError(f"no regime is called {name[:40]!r}; `headgate clocks list` names them") from None


def clock_named(key: str) -> Clock:
    """Return the clock whose key is regime.name or regime.name.tier; PolicyError where there is none."""
    for clock in regime_named(key.split(".", 1)[0]).clocks:
        if clock.key == key:
            return clock
    raise PolicyError(f"no clock is called {key[:80]!r}; `headgate clocks list` names them")


@cache
def digest() -> str:
    """Return SHA-256 of the whole catalogue as canonical JSON, with its version."""
    document = {"version": CATALOGUE_VERSION, "regimes": [asdict(regime) for regime in REGIMES.values()]}
    return sha256(json.dumps(document, sort_keys=True, separators=(",", ":"), default=str).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Edition:
    """One version of the catalogue: its regimes by name, and the digest that entries of the ledger name it by."""

    version: str
    digest: str
    regimes: Mapping[str, Regime]

    def clock(self, key: str) -> Clock | None:
        """Return the clock with this key, or None."""
        regime = self.regimes.get(key.split(".", 1)[0])
        return next((clock for clock in regime.clocks if clock.key == key), None) if regime is not None else None


@cache
def edition(version: str = CATALOGUE_VERSION) -> Edition:
    """Return the catalogue of a version; PolicyError where there is none.

    Each version of the ledger's rules counts by one edition (agents/ledger/decisions/count.py), because an entry must
    be decided again as it was. Once entries rest on an edition it is never edited: a change of the law gets another
    version, whose modules stand beside the old ones, and rules of another version, and both editions stay here.
    """
    if version != CATALOGUE_VERSION:
        raise PolicyError(f"there is no edition {version[:40]!r} of the catalogue; {CATALOGUE_VERSION} is one")
    return Edition(version=version, digest=digest(), regimes=REGIMES)


def contract(party: str, clause: str, quote: str, offset: Offset | None, trigger: Trigger = Trigger.AWARE) -> Regime:
    """Return a regime with the one clock of a contract; PolicyError where the quote does not carry number and unit."""
    if offset is not None and not says(quote, offset):
        raise PolicyError(
            f"the clause quoted for {party[:40]!r} does not say {offset.number} {offset.unit.value.replace('_', ' ')};"
            " quote the words of the contract that do"
        )
    name = f"{us.CONTRACT.name}:{party}"
    clock = Clock(name="notice", regime=name, trigger=trigger, offset=offset, quote=quote, article=clause)
    return replace(us.CONTRACT, name=name, title=f"Contract with {party}", recipient=party, clocks=(clock,))
