"""The requests of a drill, through the gateway, and later the truth: ``python -m streams.drills.traffic --url …``."""

import argparse
import asyncio
import json
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import aiohttp
import numpy as np

from agents.drills import faults, formula
from agents.drills.formula import Columns, Numbers
from schemas.errors import HeadgateError
from streams.drills.hosting import CALLER, GROUP, Faults, Hosted, read_hosting, watched
from streams.serving.asking import Asker, connect, happens, steadily, stopped_by_signals
from streams.serving.files import Watched, replace
from streams.serving.protocol import MAX_ROWS, tensor

REQUESTS = 8.0
"""A model is asked so many times a second, if it has as many rows."""
_TICK = 0.25
_KEPT = 512


class Answers:
    """What one model has answered of late, for another that reads it: the chance that it told, and the right one."""

    def __init__(self) -> None:
        self._fresh: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        self._known: deque[tuple[float, float]] = deque(maxlen=_KEPT)

    def add(self, told: Iterable[float], right: Iterable[float]) -> None:
        """Take an answer's rows."""
        for pair in zip(told, right, strict=True):
            self._fresh.append(pair)
            self._known.append(pair)

    def take(self, rows: int, rng: np.random.Generator) -> tuple[Numbers, Numbers] | None:
        """Return so many that were not taken yet, and more of the known ones where they are too few; None of none."""
        if not self._known:
            return None
        taken = [self._fresh.popleft() for _ in range(min(rows, len(self._fresh)))]
        known = list(self._known)
        taken += [known[place] for place in rng.integers(0, len(known), rows - len(taken)).tolist()]
        told, right = np.array(taken).T
        return told, right


class Customer:
    """Those who ask one model.

    Parameters
    ----------
    run
        Tells the requests of one start of the traffic from those of another.
    readers
        Where its answers go: one for each input of another model that reads it.
    reads
        Where the inputs come from that are other models' answers, by name.
    """

    def __init__(
        self,
        hosted: Hosted,
        client: aiohttp.ClientSession,
        run: int,
        on: Watched[Faults],
        *,
        reads: Mapping[str, Answers],
        readers: Sequence[Answers],
    ) -> None:
        served = hosted.served
        self.asker = Asker(client, hosted.route, served.label_after_seconds or 0.0)
        self.rate = min(REQUESTS, served.rows_per_second)
        self._rows = min(MAX_ROWS, round(served.rows_per_second / self.rate))
        self.rate = served.rows_per_second / self._rows
        self._hosted = hosted
        self._run = run
        self._on = on
        self._reads = reads
        self._readers = readers
        self._walked = 0

    async def ask(self, number: int) -> None:
        """Send a request of the next rows; a model that reads another waits until that has answered."""
        hosted, served, rows = self._hosted, self._hosted.served, self._rows
        dice = hosted.chance("ask", self._run, number)
        on = faults.touching(self._on.now(), hosted.model)
        taken = {name: answers.take(rows, dice) for name, answers in self._reads.items()}
        if any(one is None for one in taken.values()):
            return
        told_of = {name: one for name, one in taken.items() if one is not None}
        columns = formula.draw(served, rows, {name: right for name, (_, right) in told_of.items()}, dice)
        groups, callers = formula.draw_groups(served, rows, dice), formula.draw_callers(served, rows, dice)
        columns = faults.asked(served, columns, on)
        before = self._walked
        columns, callers, self._walked = faults.walked(served, columns, callers, on, before)
        likely = formula.chance(served, columns)
        true = faults.turned(formula.truth(likely, dice), on, dice)
        fed = _read(columns, told_of, self._walked - before)
        request_id = f"{hosted.model}-{self._run}-{number}"
        told = await self.asker.infer(request_id, _tensors(fed, groups, callers), rows)
        if told is None:
            return
        labels = [served.outcomes[kind] for kind in true.tolist()]
        right = sum(said == label for said, label in zip(told.outputs["outcome"], labels, strict=True))
        self.asker.counts.answered(told.version, rows, right)
        for reader in self._readers:
            reader.add(told.outputs["chance"], likely.tolist())
        if served.label_after_seconds is not None:
            self.asker.learn(request_id, labels)


def customers(hosted: Sequence[Hosted], client: aiohttp.ClientSession, run: int, on: Watched[Faults]) -> list[Customer]:
    """Return those who ask each model, its answers handed on to whoever reads them."""
    answers = {
        (one.model, name): (feature.reads, Answers())
        for one in hosted
        for name, feature in one.served.features.items()
        if feature.reads
    }
    return [
        Customer(
            one,
            client,
            run,
            on,
            reads={name: own for (model, name), (_, own) in answers.items() if model == one.model},
            readers=[own for upstream, own in answers.values() if upstream == one.model],
        )
        for one in hosted
    ]


def _read(columns: Columns, taken: Mapping[str, tuple[Numbers, Numbers]], walked: int) -> Columns:
    """Return the inputs as they are sent: with what the other models told, not with what had been right."""
    sent = dict(columns)
    for name, (told, right) in taken.items():
        cells = columns[name]
        if isinstance(cells, np.ndarray):
            sent[name] = np.concatenate([cells[:walked], (cells + told - right)[walked:]])
    return sent


def _tensors(columns: Columns, groups: Mapping[str, Sequence[str]], callers: Sequence[str]) -> list[dict[str, object]]:
    made = [
        tensor(name, [str(text) for text in cells] if isinstance(cells, list) else cells.tolist())
        for name, cells in columns.items()
    ]
    made += [tensor(f"{GROUP}{name}", list(values)) for name, values in groups.items()]
    return [*made, tensor(CALLER, callers)] if any(callers) else made


async def run(options: argparse.Namespace) -> None:
    """Ask every model until a signal comes, then wait for what is in flight and report the rest."""
    stop = stopped_by_signals()
    hosted = read_hosting(options.hosting).models
    async with connect(options.url) as client:
        all_of_them = customers(hosted, client, options.run, watched(options.fault_file))
        wanted: Watched[frozenset[str] | None] = Watched(options.only, _models, None)
        telling = asyncio.get_running_loop().create_task(_tell(hosted, all_of_them, options.stats, stop))
        async with asyncio.TaskGroup() as tasks:
            for each, one in zip(hosted, all_of_them, strict=True):
                tasks.create_task(steadily(_while_wanted(each.model, one, wanted), one.rate, stop))
        stop.set()
        await telling
        for one in all_of_them:
            await one.asker.report(everything=True)
    _write(hosted, all_of_them, options.stats)


def _models(text: str) -> frozenset[str]:
    return frozenset(str(name) for name in json.loads(text))


def _while_wanted(
    model: str, one: Customer, wanted: Watched[frozenset[str] | None]
) -> Callable[[int], Awaitable[None]]:
    """Return what asks a model only while it is to be asked."""

    async def ask(number: int) -> None:
        models = wanted.now()
        if models is None or model in models:
            await one.ask(number)

    return ask


async def _tell(hosted: Sequence[Hosted], all_of_them: Sequence[Customer], stats: Path, stop: asyncio.Event) -> None:
    while not await happens(stop, _TICK):
        for one in all_of_them:
            await one.asker.report()
        _write(hosted, all_of_them, stats)


def _write(hosted: Sequence[Hosted], all_of_them: Sequence[Customer], stats: Path) -> None:
    counted = {one.model: asdict(customer.asker.counts) for one, customer in zip(hosted, all_of_them, strict=True)}
    replace(stats, json.dumps(counted))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="streams.drills.traffic", description=__doc__)
    parser.add_argument("--url", required=True, help="of the gateway")
    parser.add_argument("--hosting", required=True, type=Path, help="file that says which models are served")
    parser.add_argument("--stats", required=True, type=Path, help="file for the counts, replaced as they grow")
    parser.add_argument("--fault-file", type=Path, help="says which faults are on")
    parser.add_argument("--only", type=Path, help="file that lists the models to ask; without one, all of them")
    parser.add_argument("--run", type=int, default=1, help="number of this start; each asks other rows")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Send requests until SIGTERM or SIGINT; 1 when there is nobody to ask."""
    try:
        asyncio.run(run(_options(arguments)))
    except HeadgateError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the log file of this process
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
