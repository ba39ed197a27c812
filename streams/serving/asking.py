"""A client of model servers: requests at a steady pace, the truth some time later, and a count of it all."""

import asyncio
import json
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import aiohttp

from streams.serving.protocol import MAX_LABELS

AT_ONCE = 32
_JSON = {"content-type": "application/json"}
_Labels = deque[tuple[float, str, str]]


@dataclass(slots=True)
class Counts:
    """What was sent and what came back, since the start."""

    requests: int = 0
    failed: int = 0
    rows: int = 0
    labels: int = 0
    labels_failed: int = 0
    correct: dict[str, int] = field(default_factory=dict)
    rows_by_version: dict[str, int] = field(default_factory=dict)
    last_failure: str = ""

    def answered(self, version: str, rows: int, right: int) -> None:
        """Count an answer, so many rows of it right."""
        self.rows += rows
        self.rows_by_version[version] = self.rows_by_version.get(version, 0) + rows
        self.correct[version] = self.correct.get(version, 0) + right

    def add(self, other: "Counts") -> None:
        """Count what another has counted."""
        for name in ("requests", "failed", "rows", "labels", "labels_failed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("correct", "rows_by_version"):
            mine: dict[str, int] = getattr(self, name)
            for version, count in getattr(other, name).items():
                mine[version] = mine.get(version, 0) + count
        self.last_failure = other.last_failure or self.last_failure

    def fell(self, error: Exception) -> None:
        """Keep why something failed."""
        self.last_failure = f"{type(error).__name__}: {error}"[:300]


@dataclass(frozen=True, slots=True)
class Told:
    """A whole answer: the version that gave it, and its outputs by name, each of as many rows as were asked."""

    version: str
    outputs: Mapping[str, Sequence[Any]]


class Asker:
    """A client of one model, which counts.

    Parameters
    ----------
    client
        Knows where the gateway is.
    label_after
        Seconds from an answer to the report of its truth.
    """

    def __init__(self, client: aiohttp.ClientSession, model: str, label_after: float) -> None:
        self.counts = Counts()
        self._client = client
        self._path = f"/v2/models/{model}"
        self._label_after = label_after
        self._known: _Labels = deque()

    async def infer(self, request_id: str, inputs: Sequence[Mapping[str, object]], rows: int) -> Told | None:
        """Send one request; whatever is not a whole answer of so many rows counts as failed, and is None."""
        self.counts.requests += 1
        asked = json.dumps({"id": request_id, "inputs": inputs}).encode()
        try:
            body = json.loads(await self._post("infer", asked))
            told = Told(str(body["model_version"]), {str(one["name"]): one["data"] for one in body["outputs"]})
            whole = all(len(data) == rows for data in told.outputs.values())
        except (aiohttp.ClientError, TimeoutError, ValueError, LookupError, TypeError) as error:
            self.counts.fell(error)
        else:
            if whole:
                return told
            self.counts.last_failure = "an answer has another number of rows than its question"
        self.counts.failed += 1
        return None

    def learn(self, request_id: str, truth: Iterable[str]) -> None:
        """Take what is true of each row of a request; it is reported when it is due."""
        due = monotonic() + self._label_after
        self._known.extend((due, f"{request_id}-{row}", label) for row, label in enumerate(truth))

    async def report(self, *, everything: bool = False) -> None:
        """Report the truth that is due by now, or all of it; what falls due meanwhile waits for the next time."""
        now = monotonic()
        while self._known and (everything or self._known[0][0] <= now):
            labels: list[dict[str, str]] = []
            while self._known and len(labels) < MAX_LABELS and (everything or self._known[0][0] <= now):
                _, prediction_id, truth = self._known.popleft()
                labels.append({"prediction_id": prediction_id, "label": truth})
            try:
                await self._post("labels", json.dumps({"labels": labels}).encode())
                self.counts.labels += len(labels)
            except (aiohttp.ClientError, TimeoutError) as error:
                self.counts.labels_failed += len(labels)
                self.counts.fell(error)

    async def _post(self, what: str, body: bytes) -> bytes:
        async with self._client.post(f"{self._path}/{what}", data=body, headers=_JSON) as response:
            response.raise_for_status()
            return await response.read()


def connect(url: str) -> aiohttp.ClientSession:
    """Return a client of the gateway; it is closed by whoever opened it.

    A process that asks a hundred times a second takes a quarter of the time with it that it takes with httpx.
    """
    return aiohttp.ClientSession(
        url, timeout=aiohttp.ClientTimeout(total=15.0), connector=aiohttp.TCPConnector(limit=0)
    )


def stopped_by_signals() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def steadily(ask: Callable[[int], Awaitable[None]], rate: float, stop: asyncio.Event, seconds: float = 0) -> None:
    """Start `ask(0)`, `ask(1)`, … every 1/rate seconds, at most AT_ONCE in flight, and wait for the last of them."""
    began, room, number = monotonic(), asyncio.Semaphore(AT_ONCE), 0

    async def one(number: int) -> None:
        try:
            await ask(number)
        finally:
            room.release()

    async with asyncio.TaskGroup() as tasks:
        while not (seconds and number / rate >= seconds):
            if await happens(stop, began + number / rate - monotonic()):
                break
            await room.acquire()
            tasks.create_task(one(number))
            number += 1


async def happens(event: asyncio.Event, within: float) -> bool:
    """Wait for the event for at most so many seconds; return whether it has happened."""
    if within <= 0:
        return event.is_set()
    try:
        async with asyncio.timeout(within):
            return await event.wait()
    except TimeoutError:
        return False
