"""The probe role: asks each model that declares probes, at its interval, and publishes the answers as telemetry."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import structlog

from schemas import probing
from schemas.codec import frame
from schemas.errors import BrokerError, PolicyError
from schemas.probing import Probe, ProbeSet
from schemas.systems import Model, Systems
from schemas.topics import full_name
from streams.clock import now_ms
from streams.kafka import AwaitedProducer, Clients
from streams.probes.asking import Asker
from streams.settings import Settings
from streams.stop import Stop

_LOG = structlog.get_logger("probe")
_POLL_SECONDS = 0.1
_AGAIN_SECONDS = 60.0

AT_ONCE = 8
"""Models that are asked at a time: so many slow endpoints delay no other."""

_Key = tuple[str, Probe]


class Prober:
    """Runs what the systems document in force asks for; what cannot be run is logged, and tried again later.

    Parameters
    ----------
    settings
        Where it runs: probe sets are files of var/probes, bearer tokens of var/keys.
    systems
        Returns the systems document in force.
    """

    def __init__(self, settings: Settings, systems: Callable[[], Systems]) -> None:
        self._settings = settings
        self._systems = systems
        self._producer = AwaitedProducer(Clients(settings))
        self._topic = full_name(settings.ledger, "telemetry")
        self._due: dict[_Key, float] = {}
        self._running: dict[_Key, Future[float]] = {}

    def run(self, stop: Stop) -> None:
        """Probe until asked to stop, and then until the runs under way are over."""
        with ThreadPoolExecutor(AT_ONCE, "probe") as threads:
            while not stop.requested:
                wanted = {
                    (name, model.probe): model
                    for system in self._systems().systems.values()
                    for name, model in system.models.items()
                    if model.probe is not None
                }
                self._begin(wanted, threads)
                time.sleep(_POLL_SECONDS)

    def _begin(self, wanted: Mapping[_Key, Model], threads: ThreadPoolExecutor) -> None:
        """Begin the runs that are due, the longest overdue first, as long as there is room; never two of one probe."""
        for key in [key for key, run in self._running.items() if run.done()]:
            self._due[key] = self._running.pop(key).result()
        # A probe that was declared anew, or otherwise, is run at once.
        self._due = {key: due for key, due in self._due.items() if key in wanted}
        now = time.monotonic()
        due = [key for key in wanted if key not in self._running and now >= self._due.get(key, 0.0)]
        for key in sorted(due, key=lambda key: self._due.get(key, 0.0))[: AT_ONCE - len(self._running)]:
            self._running[key] = threads.submit(self._run, *key, wanted[key])

    def _run(self, name: str, probe: Probe, model: Model) -> float:
        """Run a model's probes once, and return when the next run is due."""
        begun = time.monotonic()
        return begun + self._probe(name, probe, model)

    def _probe(self, name: str, probe: Probe, model: Model) -> float:
        """Run a model's probes once, and return after how many seconds the next run is due."""
        try:
            probes = read_set(self._settings, name, probe)
            token = _token(self._settings.keys_directory, probe)
        except PolicyError as error:
            _LOG.error("model not probed", model=name, reason=str(error))
            return min(float(probe.every_seconds), _AGAIN_SECONDS)
        version = probe.version or model.known_good or "unversioned"
        with Asker(probe.endpoint, probe.timeout_seconds, token) as asker:
            result = asker.run(probes, probe.digest, version, now_ms())
        try:
            self._producer.send(self._topic, name.encode(), frame(result))
        except BrokerError as error:
            _LOG.error("answers not published", model=name, reason=str(error))
            return min(float(probe.every_seconds), 1.0)
        answered = sum(map(bool, result.exact))
        _LOG.info("probed", model=name, answered=answered, of=len(result.exact), fingerprint=result.fingerprint[:12])
        return float(probe.every_seconds)


def read_set(settings: Settings, model: str, probe: Probe) -> ProbeSet:
    """Read the probe set that a model declares; PolicyError where it is absent, another, or of another model."""
    path = settings.probes_directory / probe.file
    probes = probing.read(read_bounded(path), str(path), probe.digest)
    if probes.model != model:
        raise PolicyError(f"{path} holds probes of the model {probes.model[:80]}, not of {model}")
    return probes


def read_bounded(path: Path) -> bytes:
    """Return a file's bytes, one more than is allowed at most; PolicyError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(probing.MAX_FILE + 1)
    except OSError as error:
        raise PolicyError(f"{path} cannot be read: {error.strerror}; `headgate probe build` makes one") from None


def _token(directory: Path, probe: Probe) -> str | None:
    if probe.token is None:
        return None
    path = directory / probe.token
    try:
        text = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise PolicyError(
            f"{path} cannot be read; it holds the bearer token of {probe.endpoint.split('?')[0]}"
        ) from None
    if not text.isprintable() or not 0 < len(text) <= 8192:
        raise PolicyError(f"{path} is no bearer token: one printable line of at most 8192 characters")
    return text
