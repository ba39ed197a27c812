"""`headgate backtest table`: what is read from a file, what would have been raised, and what another policy changes."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from schemas.errors import HeadgateError
from streams.__main__ import headgate
from streams.backtest.clock import Kind, clock_of
from streams.settings import DEPLOY

ROWS, START = 3000, 1800


def _table(kind: str = "iso", *, broken: bool = True) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    income, age = rng.normal(50, 10, ROWS), rng.normal(40, 9, ROWS)
    if broken:
        income[START:] *= 1000
    truth = (age > 40).astype(int)
    said = np.where(rng.random(ROWS) < 0.1, 1 - truth, truth)
    moments = np.datetime64("2026-01-01T00:00:00") + np.arange(ROWS) * np.timedelta64(1, "m")
    times = {
        "iso": moments.astype(str).tolist(),
        "s": (1.7e9 + 60 * np.arange(ROWS)).tolist(),
        "ms": (1.7e12 + 60_000 * np.arange(ROWS)).tolist(),
        "number": (np.arange(ROWS) / ROWS).tolist(),
    }
    columns: dict[str, Any] = {"at": times[kind], "income": income.tolist(), "age": age.tolist()}
    sure = rng.beta(8, 2, ROWS).tolist()
    team = np.where(rng.random(ROWS) < 0.3, "a", "b").tolist()
    return columns | {"said": said.tolist(), "paid": truth.tolist(), "sure": sure, "team": team}


def _csv(columns: dict[str, Any], path: Path) -> Path:
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n")
    return path


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(headgate, ["backtest", "table", *map(str, arguments)])


def _found(*arguments: object) -> dict[str, Any]:
    result = _run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


ALL = ("--features", "income,age", "--prediction", "said", "--confidence", "sure", "--label", "paid", "--group", "team")


@pytest.mark.parametrize("kind", ["iso", "s", "ms", "number"])
def test_a_changed_unit_is_one_incident_told_in_the_tables_own_time(tmp_path: Path, kind: str) -> None:
    """Whatever tells the time, the incident names the feature and opens after the fault, in the same kind of time."""
    columns = _table(kind)
    found = _found(_csv(columns, tmp_path / "t.csv"), "--time", "at", *ALL)
    (incident,) = found["incidents"]
    assert incident["category"] in {"data_drift", "data_quality"}
    assert incident["features"][0] == "income"
    assert {"id", "severity", "opened_at"} <= incident.keys()
    assert columns["at"][START] <= incident["opened_at"] <= columns["at"][START + 700]
    assert found["signals"]


def test_csv_gzip_and_parquet_give_the_same_answer_every_time(tmp_path: Path) -> None:
    """The form of the file, and asking again, change nothing."""
    columns = _table("s")
    plain = _csv(columns, tmp_path / "t.csv")
    packed = tmp_path / "t.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    parquet = tmp_path / "t.parquet"
    pq.write_table(pa.table(columns), parquet)
    first = _found(plain, "--time", "at", *ALL)
    for file in (plain, packed, parquet):
        assert _found(file, "--time", "at", *ALL) == first


def test_features_alone_are_enough_and_rows_are_the_clock(tmp_path: Path) -> None:
    """Without a time column an incident opens at a row; without a fault there is none."""
    (incident,) = _found(_csv(_table(), tmp_path / "t.csv"), "--features", "income,age")["incidents"]
    assert START <= incident["opened_at"] < START + 700
    clean = _csv(_table(broken=False), tmp_path / "clean.csv")
    assert _found(clean, *ALL)["incidents"] == []


def test_a_reference_of_its_own_judges_the_first_row_already(tmp_path: Path) -> None:
    """A table that is broken from its first row is found against a table that was not."""
    columns = _table()
    reference = _csv(_table(broken=False), tmp_path / "clean.csv")
    broken = _csv({name: values[START:] for name, values in columns.items()}, tmp_path / "broken.csv")
    options = ("--time", "at", *ALL)
    assert _found(broken, *options)["incidents"] == []
    (incident,) = _found(broken, *options, "--reference", reference)["incidents"]
    assert incident["features"][0] == "income"


def test_another_policy_is_compared_with_its_cost_in_false_alarms(tmp_path: Path) -> None:
    """A blind policy misses what the deployed one finds; settings, incidents and known faults are set side by side."""
    file, blind = _csv(_table(), tmp_path / "t.csv"), tmp_path / "blind.toml"
    deployed = (DEPLOY / "policy.toml").read_text()
    blind.write_text(deployed.replace("promote_score = 3.0", "promote_score = 1000.0"))
    options = ("--time", "at", *ALL, "--known", "2026-01-02T06:00:00..2026-01-03")
    found = _found(file, *options, "--compare", blind)
    assert len(found["compare"]["only_policy"]) == 1
    assert found["compare"]["only_compare"] == found["compare"]["both"] == []
    assert found["compare"]["settings"] == {"triage.promote_score": [3.0, 1000.0]}
    mine, other = (cost["known"] for cost in found["compare"]["cost"])
    assert (mine["found"], mine["missed"], mine["false_alarms"]) == (1, 0, 0)
    assert (other["found"], other["missed"]) == (0, 1)
    assert "only under --policy" in _run(file, *options, "--compare", blind).stdout
    assert _found(file, *options, "--policy", blind)["incidents"] == []


def test_late_labels_and_versions_and_instances_are_read(tmp_path: Path) -> None:
    """Labels that come an hour later, a version that is wrong and a replica's name all reach the incident."""
    columns = _table("s", broken=False)
    columns["version"] = ["v1" if row < START else "v2" for row in range(ROWS)]
    columns["pod"] = ["pod-1"] * ROWS
    columns["said"] = [v if row < START else 1 - v for row, v in enumerate(columns["said"])]
    options = ("--time", "at", *ALL, "--version", "version", "--instance", "pod", "--label-delay", 3600)
    incidents = _found(_csv(columns, tmp_path / "t.csv"), *options)["incidents"]
    assert [incident["category"] for incident in incidents] == ["performance"]
    assert incidents[0]["affected"][0]["version"] == "v2"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n1,2,3\n", "line 3"),
        ("", "empty line"),
        ("a,b\n", "no rows"),
        ("a,c\n1,2\n", "no column 'b'"),
        ("a,b,b\n1,2,3\n", "2 columns named 'b'"),
        ("a,b\nsoon,1\n", "no time"),
        ("a,b\n2026-01-01,1\nlater,1\n", "row 2"),
        ("a,b\n2026-01-03,1\n2026-01-02,1\n2026-01-01,1\n", "newest row comes first"),
    ],
)
def test_a_file_that_cannot_be_judged_says_why_in_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    """Ragged lines, missing columns and times that are none end in a sentence that names the place."""
    file = tmp_path / "t.csv"
    file.write_text(text)
    result = _run(file, "--time", "a", "--features", "b", "--json")
    assert isinstance(result.exception, HeadgateError)
    assert said in str(result.exception)


def test_bytes_that_are_no_text_are_refused_by_name(tmp_path: Path) -> None:
    """A file of another encoding is named, and nothing crashes."""
    file = tmp_path / "t.csv"
    file.write_bytes(b"a,b\n1,\xff\xfe\n")
    assert "t.csv cannot be read" in str(_run(file, "--features", "b").exception)


def test_cells_of_any_kind_are_judged_without_a_crash(tmp_path: Path) -> None:
    """Texts among numbers, infinities, huge numbers and gaps are counted, and features may have any name."""
    cells = ["1e400", "-inf", "nan", "", "text", "1_000", "9" * 400]
    numbers = [cells[row % 7] if row % 3 == 0 else str(row % 17) for row in range(1500)]
    columns = {"prediction": numbers, "score": [f"k{row % 40}" for row in range(1500)]}
    found = _found(_csv(columns, tmp_path / "t.csv"), "--features", "prediction,score", "--prediction", "prediction")
    assert found["rows"] == 1500
    assert found["refused"] == []


def test_the_table_for_people_and_both_pictures_are_written(tmp_path: Path) -> None:
    """Without --json there is a line an incident; PNG and HTML are drawn, another ending is refused."""
    file = _csv(_table(), tmp_path / "t.csv")
    said = _run(file, "--features", "income,age", "--plot", tmp_path / "o.png")
    assert "income" in said.stdout
    assert "1 incidents over 3000 rows" in said.stdout
    assert (tmp_path / "o.png").read_bytes().startswith(b"\x89PNG")
    _run(file, "--features", "income,age", "--plot", tmp_path / "o.html")
    assert "<svg" in (tmp_path / "o.html").read_text()
    assert "neither" in str(_run(file, "--features", "income", "--plot", tmp_path / "o.xls").exception)
    assert _run(file).exit_code == 2


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (None, Kind.ROWS),
        (np.arange(5.0), Kind.NUMBER),
        (np.full(5, 1.7e9), Kind.EPOCH),
        (["2026-01-31"], Kind.ISO),
        (["31/01/2026 12:00"], Kind.ISO),
    ],
)
def test_the_clock_is_chosen_by_what_the_cells_look_like(cells: Any, kind: Kind) -> None:
    """Numbers of the size of an epoch are times, others only an order; texts are dates."""
    assert clock_of(cells).kind is kind


@pytest.mark.parametrize("form", ["%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p"])
@pytest.mark.parametrize("first_day", [1, 12])
def test_day_and_month_are_told_apart_by_the_rows_together(form: str, first_day: int) -> None:
    """A day's rows, of which each could be of another month, are read as they were written."""
    begun = datetime(2026, 3, first_day, tzinfo=UTC)
    moments = [begun + timedelta(minutes=10 * row) for row in range(300)]
    cells = [moment.strftime(form) for moment in moments]
    assert clock_of(cells).read(cells, 0, 300).tolist() == [int(moment.timestamp() * 1000) for moment in moments]


@pytest.mark.parametrize("form", ["%m/%d/%Y", "%d/%m/%Y"])
@pytest.mark.parametrize("months", [1, 3])
def test_the_firsts_of_months_are_no_days_of_january(form: str, months: int) -> None:
    """Three years of months or quarters, which are as well so many days of three Januaries, are read as written."""
    moments = [datetime(2023 + row // 12, row % 12 + 1, 1, tzinfo=UTC) for row in range(0, 36, months)]
    assert clock_of([moment.strftime(form) for moment in moments]).form == form
