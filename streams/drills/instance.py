"""One instance of a version of a drill's model: it answers by its formula, with the faults that are on."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from agents.drills import faults, formula
from agents.drills.formula import Answered, Cells, Columns
from streams.drills.hosting import CALLER, GROUP, Faults, Hosted
from streams.drills.telemetry import Row, Telemetry
from streams.serving.protocol import Asked, answer, read_columns

_DIGITS = 9


@dataclass(slots=True)
class Instance:
    """One instance: answers as its version does, with the faults that are on, and says what it did.

    requests, failures
        Rows of the requests that came, and of those that failed, since it last spoke of its health.
    number
        Requests so far.
    rows, failed
        Rows that were answered and that failed, in all.
    """

    hosted: Hosted
    version: str
    name: str
    telemetry: Telemetry
    requests: int = 0
    failures: int = 0
    number: int = 0
    rows: int = 0
    failed: int = 0

    async def infer(self, body: Any, on: Faults) -> dict[str, object] | None:
        """Answer a request; None where the instance fails, SchemaError where there is none to answer."""
        began = perf_counter()
        hosted = self.hosted
        asked = read_columns(body, tuple(hosted.served.features))
        # The caller's id survives the gateway's retry, so a prediction asked twice has one id and one answer.
        asked = Asked(asked.id or uuid.uuid4().hex, asked.rows, asked.columns)
        probe = isinstance(body.get("parameters"), dict) and body["parameters"].get("probe") is True
        mine = faults.touching(on, hosted.model, self.version)
        fails = faults.fails(mine, self.number)
        self.number += 1
        self.requests += 0 if probe else asked.rows
        delay = faults.delay_ms(mine)
        if delay:
            await asyncio.sleep(delay / 1000.0)
        if fails:
            self.failures += 0 if probe else asked.rows
            self.failed += asked.rows
            return None
        told, inputs = self._answer(asked, mine)
        outcomes = [hosted.served.outcomes[kind] for kind in told.outcome.tolist()]
        if not probe:
            late = (perf_counter() - began) * 1000.0 if delay else 0.0
            self._record(asked, inputs, (outcomes, told), late)
            self._judge(asked, mine)
            self.rows += asked.rows
        outputs: dict[str, Sequence[Any]] = {
            "outcome": outcomes,
            "confidence": told.confidence.round(_DIGITS).tolist(),
            "chance": told.chance.round(_DIGITS).tolist(),
        }
        return answer(hosted.route, self.version, asked.id, outputs)

    def speak(self) -> None:
        """Say how it is."""
        self.telemetry.health(self.requests, self.failures)
        self.requests = self.failures = 0

    def _answer(self, asked: Asked, on: Faults) -> tuple[Answered, Columns]:
        """Return the answer, and the inputs as the model was fed them."""
        served, dice = self.hosted.served, self.hosted.chance("answer", self.version, asked.id)
        inputs: dict[str, Cells] = {}
        for name in served.features:
            cells = asked.columns[name]
            inputs[name] = list(cells) if isinstance(cells, list) else cells
        fed = faults.fed(inputs, on, dice)
        likely = formula.chance(faults.answering(served, on), fed)
        return formula.answered(faults.said(served, (fed, _groups(asked)), likely, on, dice)), fed

    def _record(self, asked: Asked, fed: Columns, told: tuple[list[str], Answered], late: float) -> None:
        outcomes, answered = told
        dice = self.hosted.chance("work", self.version, asked.id)
        work = (formula.work_ms(asked.rows, dice) + late).tolist()
        groups = _groups(asked)
        callers = asked.columns.get(CALLER)
        by = callers if isinstance(callers, list) else [""] * asked.rows
        columns = {name: _listed(cells) for name, cells in fed.items()}
        sure = answered.confidence.tolist()
        self.telemetry.rows(
            [
                Row(
                    id=f"{asked.id}-{row}",
                    features=dict(zip(columns, values, strict=True)),
                    outcome=outcomes[row],
                    confidence=sure[row],
                    latency_ms=work[row],
                    groups={name: of[row] for name, of in groups.items()},
                    caller=by[row],
                )
                for row, values in enumerate(zip(*columns.values(), strict=True))
            ]
        )

    def _judge(self, asked: Asked, on: Faults) -> None:
        for judge in self.hosted.served.judges:
            dice = self.hosted.chance("judge", judge, asked.id)
            found = faults.scores(judge, asked.rows, on, dice)
            self.telemetry.scores(judge, [f"{asked.id}-{row}" for row in range(asked.rows)], found.tolist())


def _groups(asked: Asked) -> dict[str, list[str]]:
    columns = asked.columns.items()
    return {name.removeprefix(GROUP): of for name, of in columns if name.startswith(GROUP) and isinstance(of, list)}


def _listed(cells: Cells) -> list[Any]:
    if isinstance(cells, list):
        return cells
    if np.isnan(cells).any():
        return [None if value != value else value for value in cells.tolist()]  # noqa: PLR0124 - only NaN is not itself
    values: list[Any] = cells.tolist()
    return values
