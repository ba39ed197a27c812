"""Faults in real and generated tables: each raises one incident of its kind, and no fault raises none but drift."""

from functools import cache
from pathlib import Path

import pytest

from tests.faults import FAULTS, Opened, judged, opened, verdict
from tests.frames import BUNDLED, Frame, elec2, segments
from tests.lookalikes import GENERATED, clinic, wine

SHORT = {"segments": segments, "wine": wine, "clinic": clinic}
QUICK = ("units", "stuck", "labels", "group", "latency", "version", "nan")


@cache
def _usual(name: str, folder: Path) -> tuple[Opened, ...]:
    return tuple(opened(judged(SHORT[name](), None, folder)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for the tables."""
    return tmp_path_factory.mktemp("tables")


@pytest.mark.parametrize("name", SHORT)
def test_a_table_without_a_fault_raises_nothing_but_data_drift(name: str, folder: Path) -> None:
    """No performance, fairness, quality or other incident comes of clean rows."""
    assert verdict(list(_usual(name, folder)), [], None, SHORT[name]().rows) == ""


@pytest.mark.parametrize("fault", QUICK)
@pytest.mark.parametrize("name", SHORT)
def test_a_fault_is_one_incident_of_its_kind(name: str, fault: str, folder: Path) -> None:
    """Exactly one incident is opened after the fault began, in the category that the fault has."""
    frame = SHORT[name]()
    found = opened(judged(frame, fault, folder))
    assert verdict(found, list(_usual(name, folder)), fault, frame.rows) == "", found


def _all(data: Path) -> list[Frame]:
    return [*(make() for make in (*BUNDLED, *GENERATED)), elec2(data), elec2(data, 20_000, 8_000)]


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_most_faults_on_all_tables_are_one_incident_of_their_kind(data: Path, folder: Path) -> None:
    """The whole matrix: clean tables raise nothing but drift, and of all faults at least 88 of 100 are right."""
    said = []
    for frame in _all(data):
        usual = opened(judged(frame, None, folder))
        assert verdict(usual, [], None, frame.rows) == "", frame.name
        names = [name for name in FAULTS if len(frame.numbers) > 1 or name in ("labels", "group", "latency", "bug")]
        said += [verdict(opened(judged(frame, name, folder)), usual, name, frame.rows) for name in names]
    assert said.count("") >= 0.88 * len(said), [one for one in said if one]
