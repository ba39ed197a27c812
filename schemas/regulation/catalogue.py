"""Every regime that Headgate knows, by name, with a version and a digest."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from types import MappingProxyType

from schemas.errors import PolicyError
from schemas.regulation import eu_ai, eu_security, health, us
from schemas.regulation.clocks import Clock, Regime

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
