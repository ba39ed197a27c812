"""What is compiled says what the same lines say in Python, bit for bit, with cells missing, far out and repeated."""

from collections.abc import Callable
from typing import Any
from zlib import adler32, crc32

import numpy as np
import pytest

from agents.detection import compiled as under_test
from agents.detection.detect import Detect
from agents.detection.detectors.sequential import steps
from agents.detection.guard import Runs
from agents.detection.kept import keys_of
from agents.detection.standard import Standard
from agents.detection.warm import warm
from agents.received import Received
from schemas.codec import frame
from schemas.telemetry import Column, InferenceBatch
from schemas.thresholds import Thresholds
from schemas.values import Mode
from tests.kernels import CASES, ROWS, values


def both(function: Any, make: Callable[[], tuple[Any, ...]]) -> tuple[Any, Any]:
    """Return what the function gives and leaves behind, in machine code and in Python."""
    found = []
    for run in (function, function.py_func):
        given = make()
        with np.errstate(all="ignore"):
            found.append((run(*given), given))
    return found[0], found[1]


def same(one: Any, other: Any) -> bool:
    """Whether two results are equal, however they are nested; NaN is equal to NaN."""
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if one is None or isinstance(one, str):
        return bool(one == other)
    return bool(np.array_equal(np.asarray(one, np.float64), np.asarray(other, np.float64), equal_nan=True))


@pytest.mark.parametrize("case", CASES)
def test_machine_code_says_what_python_says(case: str) -> None:
    """Results, and what is changed in place, are the same bits in both."""
    compiled, plain = both(*CASES[case])
    assert same(compiled, plain)


def test_one_value_is_interpolated_as_numpy_does() -> None:
    """Below, at, between and above the knots, where knots repeat, and of NaN."""
    knots, heights = np.array([-2.0, -1, 0.5, 3, 3, 3]), np.array([-9.0, 0, 1, 7, 7, 7])
    for x in (-5.0, -2.0, -1.7, 0.5, 2.9, 3.0, 4.0, np.nan):
        wanted = np.interp(x, knots, heights)
        for run in (steps.interpolated, steps.interpolated.py_func):  # type: ignore[attr-defined]
            assert same(run(x, knots, heights), wanted)


def test_runs_of_equal_values_go_on_from_batch_to_batch() -> None:
    """Whole or in parts, the longest run of each facet and the run that it ends with are the same."""
    given = np.round(values(12) / 3)
    whole, parts = Runs(4), Runs(4)
    longest, pairs = whole.longest(given.copy())
    found = [parts.longest(given[:, first : first + 5].copy())[0] for first in range(0, ROWS, 5)]
    assert np.max(found, axis=0).tolist() == longest.tolist()
    assert same((parts.last, parts.length), (whole.last, whole.length))
    assert pairs[:, 0].tolist() == (given[:, 1:] == given[:, :-1]).sum(axis=1).tolist()


@pytest.mark.parametrize("names", [("a", "", "bcd" * 90), ("é", "a"), ("",)])
def test_ids_have_the_keys_that_zlib_gives_them(names: tuple[str, ...]) -> None:
    """Empty, short, long and not ASCII: CRC-32 above Adler-32."""
    wanted = [crc32(name.encode()) << 32 | adler32(name.encode()) for name in names]
    assert keys_of(names)[0].tolist() == wanted


def test_what_cannot_be_kept_on_disk_is_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no folder may be written, the function still runs."""
    made = under_test.njit

    def njit(**options: Any) -> Any:
        if options.pop("cache", False):
            raise RuntimeError("cannot cache function: no locator available")
        return made(**options)

    monkeypatch.setattr(under_test, "njit", njit)
    assert under_test.compiled(lambda x: x + 1)(2) == 3


def test_what_is_warm_need_not_be_compiled_when_records_come() -> None:
    """Batches of other sizes, with cells missing and two instances, bring no new types of arrays."""
    warm()
    dispatchers = [function for function, _ in CASES.values()]
    before = [len(function.signatures) for function in dispatchers]
    detect, first = Detect(Standard("test", Thresholds())), 0
    for offset, rows in enumerate((700, 900, 1, 499, 7, 1, 2, 1200, 9, 8, 37)):
        columns = [
            Column(name=role, role=role, kind="double", values=np.resize(values(role_number), rows).tobytes())
            for role_number, role in enumerate(("confidence", "latency"))
        ]
        features = [
            Column(name=f"f{i}", role="feature", kind="double", values=np.resize(values(i), rows).tobytes())
            for i in range(4)
        ]
        wanders = np.sin(np.arange(first, first + rows) * 0.3)
        features.append(Column(name="w", role="feature", kind="double", values=wanders.tobytes()))
        texts = [
            Column(
                name=name,
                role=role,
                kind="string",
                values=np.resize(np.arange(3), rows).astype("<u2").tobytes(),
                dictionary=("x", "y", "z"),
            )
            for name, role in (("t", "feature"), ("u", "feature"), ("prediction", "prediction"))
        ]
        batch = InferenceBatch(
            model="m",
            version="1",
            instance=str(offset % 2),
            mode=Mode.REALTIME,
            source="s",
            first_position=first,
            rows=rows,
            columns=(*features, *columns, *texts),
        )
        place = {"topic": "t", "topic_id": "t", "partition": 0, "timestamp": 1_700_000_000_000}
        detect.step(Received(**place, offset=offset, key=b"m", value=frame(batch)))
        first += rows
    assert [len(function.signatures) for function in dispatchers] == before
