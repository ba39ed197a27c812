"""What an inventory of systems does not say yet, and somebody will miss when an incident is open."""

from schemas.regulation.catalogue import REGIMES
from schemas.systems import System, Systems


def gaps(systems: Systems) -> list[str]:
    """Return each gap as a sentence; a valid document may have them."""
    found: list[str] = []
    for name, system in sorted(systems.systems.items()):
        found += [f"{name}: {said}" for said in _of_system(system)]
        for model, one in sorted(system.models.items()):
            instead = one.fallback or (system.vendor.fallback if system.vendor else "")
            if one.known_good is None and not instead:
                found.append(f"{name}: nothing does the work of {model} while it is out (known_good or fallback)")
    return found


def _of_system(system: System) -> list[str]:
    found = [
        f"the clock catalogue knows no regime {regime}; `headgate clocks list` names them"
        for regime in system.regulations
        if regime not in REGIMES
    ]
    if system.third_party and system.vendor is None:
        found.append("a third party provides it, and nobody is named to tell (vendor)")
    if not system.jurisdictions:
        found.append("it is not said where it is used (jurisdictions), so statutory clocks cannot be chosen by it")
    return found
