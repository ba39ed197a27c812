"""Scenario files by name: what a person names on the command line, and what deploy/drills holds."""

from collections.abc import Iterable
from pathlib import Path

from agents.drills import saying
from schemas import drills
from schemas.documents import MAX_DOCUMENT_BYTES
from schemas.drills import Scenario
from schemas.errors import PolicyError
from streams.settings import DEPLOY

DIRECTORY = DEPLOY / "drills"
_SUFFIX = ".toml"


def known() -> list[Path]:
    """Return the scenario files that are deployed, by name."""
    return sorted(DIRECTORY.glob(f"*{_SUFFIX}"))


def find(name: str) -> Path:
    """Return the file of this path, or of this bare name in deploy/drills; PolicyError where there is neither."""
    given = Path(name)
    if given.is_file():
        return given
    deployed = DIRECTORY / f"{name.removesuffix(_SUFFIX)}{_SUFFIX}"
    if given.name == name and deployed.is_file():
        return deployed
    names = ", ".join(path.stem for path in known())
    raise PolicyError(f"{name[:200]} is no file, and no drill of {DIRECTORY}; there are {names or 'none'}")


def read(path: Path) -> Scenario:
    """Read a scenario file, and check what its people say; PolicyError says where it is wrong."""
    try:
        with path.open("rb") as file:
            document = file.read(MAX_DOCUMENT_BYTES + 1)
    except OSError as error:
        raise PolicyError(f"{path} cannot be read: {error.strerror}") from None
    scenario = drills.read(document, str(path))
    saying.check(scenario, str(path))
    return scenario


def chosen(names: Iterable[str]) -> dict[str, Scenario]:
    """Return the scenarios of several files by their stems; PolicyError where two are called the same."""
    found: dict[str, Scenario] = {}
    for name in names:
        path = find(name)
        if path.stem in found:
            raise PolicyError(f"two of the files are called {path.stem}; rename one, or play them one after the other")
        found[path.stem] = read(path)
    return found
