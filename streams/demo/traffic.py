"""Real requests through the gateway, and later the truth: ``python -m streams.demo.traffic --url … --stats FILE``.

Rows are those of the stream that no version was trained on, in file order from a start that the seed chooses, and
round again. What turned out to be true of each row is reported some seconds after its prediction.
"""

import argparse
import asyncio
import json
import sys
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp
import numpy as np

from streams.demo.models import CLASSES, MODEL, SENSORS, TRAINING_ROWS, read_rows
from streams.serving.asking import Asker, Counts, connect, happens, steadily, stopped_by_signals
from streams.serving.files import replace

_LEAST_ROWS, _MOST_ROWS = 10, 20
_TICK = 0.25


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
    """A client that asks, learns the truth, and counts."""

    def __init__(self, client: aiohttp.ClientSession, seed: int, label_after: float) -> None:
        self.asker = Asker(client, MODEL, label_after)
        self._questions = questions(seed)
        self._run = uuid.uuid4().hex[:12]

    async def ask(self, number: int) -> None:
        """Send the next question."""
        question, request_id = next(self._questions), f"{self._run}-{number}"
        rows = len(question.rows)
        tensor = {"name": "sensors", "shape": [rows, len(SENSORS)], "datatype": "FP64", "data": question.rows}
        told = await self.asker.infer(request_id, [tensor], rows)
        if told is not None:
            right = sum(said == truth for said, truth in zip(told.outputs["class"], question.truth, strict=True))
            self.asker.counts.answered(told.version, rows, right)
            self.asker.learn(request_id, question.truth)


async def run(options: argparse.Namespace) -> Counts:
    """Ask until the time is up or a signal comes, then wait for what is in flight and report the rest."""
    stop = stopped_by_signals()
    async with connect(options.url) as client:
        traffic = Traffic(client, options.seed, options.label_after)
        asker = traffic.asker
        ended = asyncio.get_running_loop().create_task(_tell(asker, options.stats, stop))
        await steadily(traffic.ask, options.rate, stop, options.seconds)
        stop.set()
        await ended
        await asker.report(everything=True)
    _write(asker, options.stats)
    return asker.counts


async def _tell(asker: Asker, stats: Path, stop: asyncio.Event) -> None:
    while not await happens(stop, _TICK):
        await asker.report()
        _write(asker, stats)


def _write(asker: Asker, stats: Path) -> None:
    replace(stats, json.dumps(asdict(asker.counts), sort_keys=True))


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
