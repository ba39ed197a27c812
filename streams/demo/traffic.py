"""Real requests through the gateway, and later the truth: ``python -m streams.demo.traffic --url … --stats FILE``.

Rows are those of the stream that no version was trained on, in file order from a start that the seed chooses, and
round again. What turned out to be true of each row is reported some seconds after its prediction.
"""

import argparse
import asyncio
import json
import signal
import sys
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic

import httpx
import numpy as np

from streams.demo.inference import MAX_LABELS
from streams.demo.models import CLASSES, MODEL, TRAINING_ROWS, read_rows

_LEAST_ROWS, _MOST_ROWS = 10, 20
_AT_ONCE = 32
_TICK = 0.25


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

    def write(self, file: Path) -> None:
        """Write the counts as JSON, whole or not at all."""
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self), sort_keys=True))
        fresh.replace(file)


@dataclass(frozen=True, slots=True)
class Questions:
    """The rows of one request and the class of each."""

    rows: list[list[float]]
    truth: list[str]


def questions(seed: int) -> Iterator[Questions]:
    """Yield requests without end: 10 to 20 consecutive rows each; the same seed asks the same."""
    rows, anomaly = read_rows()
    rows, anomaly = rows[TRAINING_ROWS:], anomaly[TRAINING_ROWS:]
    random = np.random.default_rng(seed)
    at = int(random.integers(len(rows)))
    while True:
        count = int(random.integers(_LEAST_ROWS, _MOST_ROWS + 1))
        index = np.arange(at, at + count) % len(rows)
        yield Questions(rows[index].tolist(), [CLASSES[kind] for kind in anomaly[index]])
        at = (at + count) % len(rows)


class Traffic:
    """A client that asks at a steady rate, reports the truth later, and counts."""

    def __init__(self, client: httpx.AsyncClient, label_after: float) -> None:
        self.counts = Counts()
        self._client = client
        self._label_after = label_after
        self._known: deque[tuple[float, str, str]] = deque()
        self._run = uuid.uuid4().hex[:12]

    async def ask(self, number: int, question: Questions) -> None:
        """Send one request; whatever is not a whole answer counts as failed."""
        request_id = f"{self._run}-{number}"
        shape = [len(question.rows), len(question.rows[0])]
        tensor = {"name": "sensors", "shape": shape, "datatype": "FP64", "data": question.rows}
        try:
            response = await self._client.post(f"/v2/models/{MODEL}/infer", json={"id": request_id, "inputs": [tensor]})
            response.raise_for_status()
            body = response.json()
            version, told = str(body["model_version"]), body["outputs"][0]["data"]
            right = sum(said == truth for said, truth in zip(told, question.truth, strict=True))
        except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
            self.counts.failed += 1
            self.counts.last_failure = f"{type(error).__name__}: {error}"[:300]
        else:
            self.counts.rows += len(told)
            self.counts.rows_by_version[version] = self.counts.rows_by_version.get(version, 0) + len(told)
            self.counts.correct[version] = self.counts.correct.get(version, 0) + right
            due = monotonic() + self._label_after
            self._known.extend((due, f"{request_id}-{row}", truth) for row, truth in enumerate(question.truth))
        finally:
            self.counts.requests += 1

    async def report(self, *, everything: bool = False) -> None:
        """Report the truth that is due by now, or all of it; what falls due meanwhile waits for the next time."""
        now = monotonic()
        while self._known and (everything or self._known[0][0] <= now):
            labels: list[dict[str, str]] = []
            while self._known and len(labels) < MAX_LABELS and (everything or self._known[0][0] <= now):
                _, prediction_id, truth = self._known.popleft()
                labels.append({"prediction_id": prediction_id, "label": truth})
            try:
                response = await self._client.post(f"/v2/models/{MODEL}/labels", json={"labels": labels})
                response.raise_for_status()
                self.counts.labels += len(labels)
            except httpx.HTTPError as error:
                self.counts.labels_failed += len(labels)
                self.counts.last_failure = f"{type(error).__name__}: {error}"[:300]


async def run(options: argparse.Namespace) -> Counts:
    """Ask until the time is up or a signal comes, then wait for what is in flight and report the rest."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with httpx.AsyncClient(base_url=options.url, timeout=15.0, trust_env=False) as client:
        traffic = Traffic(client, options.label_after)
        ended = asyncio.get_running_loop().create_task(_tell(traffic, options.stats, stop))
        await _ask_steadily(traffic, options, stop)
        stop.set()
        await ended
        await traffic.report(everything=True)
    traffic.counts.write(options.stats)
    return traffic.counts


async def _ask_steadily(traffic: Traffic, options: argparse.Namespace, stop: asyncio.Event) -> None:
    """Start a request every 1/rate seconds, at most `_AT_ONCE` in flight, and wait for the last of them."""
    began, room = monotonic(), asyncio.Semaphore(_AT_ONCE)

    async def one(number: int, question: Questions) -> None:
        try:
            await traffic.ask(number, question)
        finally:
            room.release()

    async with asyncio.TaskGroup() as tasks:
        for number, question in enumerate(questions(options.seed)):
            due = began + number / options.rate
            if options.seconds and due - began >= options.seconds:
                break
            if await _happens(stop, due - monotonic()):
                break
            await room.acquire()
            tasks.create_task(one(number, question))


async def _tell(traffic: Traffic, stats: Path, stop: asyncio.Event) -> None:
    while not await _happens(stop, _TICK):
        await traffic.report()
        traffic.counts.write(stats)


async def _happens(event: asyncio.Event, within: float) -> bool:
    """Wait for the event for at most so many seconds; return whether it has happened."""
    if within <= 0:
        return event.is_set()
    try:
        async with asyncio.timeout(within):
            return await event.wait()
    except TimeoutError:
        return False


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="streams.demo.traffic", description=__doc__)
    parser.add_argument("--url", required=True, help="of the gateway")
    parser.add_argument("--stats", required=True, type=Path, help="file for the counts, replaced as they grow")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=30.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=0.0, help="how long; 0 until a signal")
    parser.add_argument("--label-after", type=float, default=3.0, help="seconds from a prediction to its truth")
    options = parser.parse_args(arguments)
    if not 0 < options.rate <= 1000:
        parser.error("--rate must be above 0 and at most 1000")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Send requests; 1 when any of them failed."""
    counts = asyncio.run(run(_options(arguments)))
    return 1 if counts.failed or counts.labels_failed else 0


if __name__ == "__main__":
    sys.exit(main())
