"""`headgate backtest series`: a row out for every row in, whatever it holds, and a clear word where it cannot be."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from agents.detection.series.detector import SeriesDetector
from schemas.errors import HeadgateError
from schemas.thresholds import Series
from streams.backtest import series_command

ROWS = 600


@pytest.fixture
def values() -> np.ndarray:
    """A series that jumps at row 500."""
    made = np.random.default_rng(6).normal(5, 1, ROWS)
    made[500:505] += 30
    return made


def texts(rows: int = ROWS) -> list[str]:
    """Return times of a row each, five minutes apart."""
    return [str(t).replace("T", " ") for t in np.datetime64("2026-01-01T00:00:00") + 300 * np.arange(rows)]


def write(path: Path, values: Any, times: Any, heads: str = "timestamp,value") -> Path:
    """Write a CSV file."""
    text = heads + "\n" + "".join(f"{t},{v}\n" for t, v in zip(times, values, strict=True))
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def run(*args: object) -> dict[str, Any]:
    """Run the command with --json and return what it prints."""
    done = CliRunner().invoke(series_command.command, [*map(str, args), "--json"], catch_exceptions=False)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows that were written."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_row_is_written_with_its_score_and_alarm(tmp_path: Path, values: np.ndarray) -> None:
    """Times and values are those that were read, scores those of the detector, exact to the last bit."""
    out = tmp_path / "out.csv"
    found = run(write(tmp_path / "in.csv", values, texts()), "--out", out)
    at = np.array(texts(), dtype="datetime64[ms]").astype(np.int64)
    wanted = SeriesDetector(Series()).update(values, at)
    written = rows_of(out)
    assert [row["timestamp"] for row in written] == texts()
    assert [float(row["value"]) for row in written] == values.tolist()
    assert [float(row["score"]) for row in written] == wanted.scores.tolist()
    assert [row["alarm"] == "1" for row in written] == wanted.alarms.tolist()
    assert (found["rows"], found["skipped"], found["alarms"]) == (ROWS, 0, int(wanted.alarms.sum()))
    assert found["first_alarms"][0]["row"] == 501


def test_other_forms_of_the_same_rows_score_the_same(tmp_path: Path, values: np.ndarray) -> None:
    """CSV, compressed CSV, other names, seconds since 1970, and Parquet with real times give one answer."""
    out = tmp_path / "out.csv"
    seconds = np.array(texts(), dtype="datetime64[s]").astype(np.int64)
    stamps = np.array(texts(), dtype="datetime64[ms]")
    pq.write_table(pa.table({"t": stamps, "v": values}), tmp_path / "in.parquet")
    named = ("--time", "t", "--value", "v")
    given: list[tuple[Path, tuple[str, ...]]] = [
        (write(tmp_path / "in.csv", values, texts()), ()),
        (write(tmp_path / "in.csv.gz", values, texts()), ()),
        (write(tmp_path / "seconds.csv", values, seconds, "t,v"), named),
        (tmp_path / "in.parquet", named),
    ]
    answers = []
    for file, names in given:
        run(file, *names, "--out", out)
        answers.append([(row["score"], row["alarm"]) for row in rows_of(out)])
    assert all(answer == answers[0] for answer in answers)


def test_cells_that_are_no_numbers_are_skipped_and_counted(tmp_path: Path, values: np.ndarray) -> None:
    """Texts, nothing, nan, infinity and a huge number get the score 0, and the fault after them is found."""
    cells: list[object] = values.tolist()
    cells[300:306] = ["", "oops", "nan", "inf", "1_0", "NULL"]
    out = tmp_path / "out.csv"
    found = run(write(tmp_path / "in.csv", cells, texts()), "--out", out)
    assert found["skipped"] == 6
    assert len(rows_of(out)) == ROWS
    assert all(row["score"] == "0.0" for row in rows_of(out)[300:306])
    assert any(alarm["row"] == 501 for alarm in found["first_alarms"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty line"),
        ("timestamp,value\n", "has no rows"),
        ("time,value\n2026-01-01,1\n", "no column 'timestamp'"),
        ("timestamp,values\n2026-01-01,1\n", "did you mean 'values'"),
        ("timestamp,value\nsoon,1\n", "'soon', which is no time"),
        ("timestamp,value\n" + "2026-01-01,1\n" * 300 + "later,2\n", "row 301"),
        ("timestamp,value\n2026-01-01,1,3,4\n", "cannot be read"),
        ('timestamp,value\n"2026-01-01,1\n', ""),
        ("timestamp,value\n\x00\xff\xfe,\x80\n", ""),
        ("PAR1", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_judged_is_named_with_the_reason(tmp_path: Path, text: str, says: str) -> None:
    """One sentence says what is wrong; no output is left behind, not even a part of it."""
    file, out = tmp_path / "in.csv", tmp_path / "out.csv"
    file.write_bytes(text.encode("latin-1"))
    done = CliRunner().invoke(series_command.command, [str(file), "--out", str(out)])
    assert isinstance(done.exception, HeadgateError)
    assert says in str(done.exception)
    assert "\n" not in str(done.exception)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv"]


def test_the_file_that_is_read_is_not_overwritten(tmp_path: Path, values: np.ndarray) -> None:
    """--out naming the input is refused before a byte is written."""
    file = write(tmp_path / "in.csv", values, texts())
    before = file.read_bytes()
    done = CliRunner().invoke(series_command.command, [str(file), "--out", str(file)])
    assert isinstance(done.exception, HeadgateError)
    assert file.read_bytes() == before


def test_another_policy_judges_otherwise(tmp_path: Path, values: np.ndarray) -> None:
    """A policy that allows fewer false alarms sets a higher threshold."""
    file, policy = write(tmp_path / "in.csv", values, texts()), tmp_path / "policy.toml"
    deployed = (series_command.DEPLOY / "policy.toml").read_text("utf-8")
    policy.write_text(f"{deployed}\n[detection.series]\nrows_between_false_alarms = 1000000\n", "utf-8")
    assert run(file, "--policy", policy)["threshold"] == 6.0
    assert run(file)["threshold"] < 6.0


def test_pictures_are_drawn(tmp_path: Path, values: np.ndarray) -> None:
    """A PNG is one, and an HTML file holds a drawing and needs nothing from elsewhere."""
    file = write(tmp_path / "in.csv", np.tile(values, 20), texts(ROWS * 20))
    run(file, "--plot", tmp_path / "a.png")
    run(file, "--plot", tmp_path / "a.html")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "a.html").read_text("utf-8")
    assert "<svg" in page
    assert "<script" not in page
