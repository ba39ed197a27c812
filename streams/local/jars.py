"""The jars that Kafka consists of: fetched once, cached for the user, run only when every SHA-256 is the pinned one."""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from schemas.errors import BrokerError

KAFKA = "org.apache.kafka:kafka_2.13:4.2.2"
LOGGING = "org.slf4j:slf4j-simple:1.7.36"
_ATTEMPTS = 3


class Pin(NamedTuple):
    """One jar: its SHA-256 in hex, and its path in a Maven repository."""

    digest: str
    path: PurePosixPath


def read_pins(file: Path) -> list[Pin]:
    """Read a list in the format of `sha256sum`; a line that is none raises BrokerError."""
    try:
        lines = file.read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BrokerError(f"the list of pinned jars {file} cannot be read: {error}.") from error
    pins = [_pin(file, line) for line in lines if line and not line.startswith("#")]
    if not pins:
        raise BrokerError(f"the list of pinned jars {file} is empty; restore it from version control.")
    return pins


def _pin(file: Path, line: str) -> Pin:
    digest, _, name = line.partition("  ")
    path = PurePosixPath(name)
    well_formed = len(digest) == 64 and all(c in "0123456789abcdef" for c in digest) and len(path.parts) >= 4
    if not well_formed or path.is_absolute() or ".." in path.parts:
        raise BrokerError(f"{file} has a line that is no pinned jar: {line[:80]!r}.")
    return Pin(digest, path)


def ensure_jars(pins: Sequence[Pin], cache: Path, report: Callable[[str], None] = lambda _: None) -> list[Path]:
    """Return the path of every pinned jar in the cache, fetching those that are missing or damaged.

    Raises BrokerError when the registry cannot be reached, or when what it gives is not what was pinned.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache / ".lock"):
            wanted = [pin for pin in pins if sha256(cache / pin.path) != pin.digest]
            if wanted:
                report(f"fetching {len(wanted)} of Kafka's {len(pins)} jars into {cache} (only the first time)")
                _fetch_all(wanted, cache)
    except OSError as error:
        raise BrokerError(f"the jar cache {cache} cannot be written: {error.strerror or error}.") from error
    return [cache / pin.path for pin in pins]


def resolve_pins(cache: Path) -> list[Pin]:
    """Ask the registry which jars Kafka consists of, fetch them, and return them with their digests."""
    from jgo.maven import MavenContext  # a start with a full cache needs no resolver
    from jgo.parse import Coordinate

    context = MavenContext(repo_cache=cache)
    roots = [context.create_dependency(Coordinate.parse(name)) for name in (KAFKA, LOGGING)]
    resolved, transitive = context.resolver.resolve(roots)
    artifacts = [d.artifact for d in resolved]
    artifacts += [d.artifact for d in transitive if d.scope in {"compile", "runtime"}]
    files = sorted({Path(artifact.resolve()) for artifact in artifacts})
    return [Pin(sha256(file) or "", PurePosixPath(file.relative_to(cache))) for file in files]


def write_pins(file: Path) -> None:
    """Resolve Kafka afresh and write the list of its jars; what `make jars` runs, for a person to review."""
    with tempfile.TemporaryDirectory() as cache:
        pins = resolve_pins(Path(cache))
    lines = [f"# {KAFKA}, {LOGGING} and what they need; the broker runs nothing else. `make jars` writes this file."]
    lines += [f"{pin.digest}  {pin.path}" for pin in pins]
    file.write_text("\n".join([*lines, ""]), "ascii")


def sha256(file: Path) -> str | None:
    """Return the file's SHA-256 in hex, or None where there is no such file."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def _fetch_all(pins: Sequence[Pin], cache: Path) -> None:
    # A download becomes visible under its name only when it is whole and right: a killed start leaves no half jar.
    with (
        tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache) as staging,
        ThreadPoolExecutor(max_workers=4) as pool,
    ):
        for pin, file in zip(pins, pool.map(lambda pin: _fetch(pin, Path(staging)), pins), strict=True):
            actual = sha256(file)
            if actual != pin.digest:
                raise BrokerError(
                    f"{pin.path.name} from the package registry has SHA-256 {actual}, but {pin.digest} is pinned; "
                    "do not run it: compare deploy/kafka-jars.sha256 with the publisher's checksum."
                )
            target = cache / pin.path
            target.parent.mkdir(parents=True, exist_ok=True)
            file.replace(target)


def _fetch(pin: Pin, staging: Path) -> Path:
    import requests  # jgo's own client: its errors are the ones to expect
    from jgo.maven import MavenContext

    *group, artifact, version, name = pin.path.parts
    classifier = name.removesuffix(".jar").removeprefix(f"{artifact}-{version}").lstrip("-")
    failure: Exception | None = None
    for attempt in range(_ATTEMPTS):
        context = MavenContext(repo_cache=staging / str(attempt))
        component = context.project(".".join(group), artifact).at_version(version)
        try:
            return Path(component.artifact(classifier=classifier).resolve())
        except (requests.RequestException, RuntimeError) as error:
            failure = error
    raise BrokerError(
        f"Kafka's jar {name} could not be fetched from the package registry "
        f"({type(failure).__name__}); check the network, or set HEADGATE_BOOTSTRAP_SERVERS to a broker of yours."
    ) from failure


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
