"""The systems of drills in a systems document that is adopted: put beside its own, and taken out again."""

from collections.abc import Collection, Mapping

import tomlkit

from schemas import systems
from schemas.errors import PolicyError
from schemas.systems import System


def joined(document: bytes, added: Mapping[str, System]) -> bytes:
    """Return a systems document with these systems beside its own; PolicyError where that cannot be.

    A drill's system of the same name is one that an earlier drill left, and is replaced.
    """
    adopted = systems.read(document, "the adopted systems document")
    for name, system in added.items():
        if name in adopted.systems and not adopted.systems[name].drill:
            raise PolicyError(f"a system {name} is declared already; give the drill's another name")
        for model in system.models:
            found = adopted.find(model)
            if found is not None and found[0] not in added:
                raise PolicyError(f"a model {model} is declared already, in {found[0]}; give the drill's another name")
    parsed = tomlkit.parse(document.decode("utf-8"))
    own = {name: added[name].model_dump(mode="json", exclude_defaults=True) for name in added}
    for name, declared in own.items():
        parsed.setdefault("systems", tomlkit.table())[name] = declared
    made = tomlkit.dumps(parsed).encode()
    systems.read(made, "the systems document with the drill's systems")
    return made


def parted(document: bytes, names: Collection[str]) -> bytes:
    """Return a systems document without these systems of drills; the same bytes where it has none of them."""
    adopted = systems.read(document, "the adopted systems document")
    parsed = tomlkit.parse(document.decode("utf-8"))
    gone = [name for name in names if name in adopted.systems and adopted.systems[name].drill]
    for name in gone:
        del parsed["systems"][name]
    return tomlkit.dumps(parsed).encode() if gone else document
