"""What the speed bench makes of its measurements: the same signals or void, ratios, budgets."""

from dataclasses import replace

import pytest

from tests.bench.detection.verdict import Run, budget, differing, lines, ratios, speeds


def run(arm: str, cpu: float = 1.0, signals: str = "abc", count: int = 3) -> Run:
    """Return a run of a million rows."""
    return Run(arm=arm, rows=1_000_000, cpu=cpu, wall=2 * cpu, signals=signals, count=count)


def test_arms_that_say_the_same_are_not_void() -> None:
    """Arms are compared within their group: those in batches and those per event judge in different ways."""
    alike = [run("ours"), run("kernel"), run("quix_event", signals="xyz", count=1)]
    assert differing(alike) == []


@pytest.mark.parametrize("other", [{"signals": "abd"}, {"count": 4}])
def test_an_arm_that_says_something_else_makes_the_run_void(other: dict[str, object]) -> None:
    """Another digest or another number of signals, in any turn, is named with both arms."""
    runs = [run("ours"), run("kernel"), run("ours"), replace(run("kernel"), **other)]  # type: ignore[arg-type]
    assert [("kernel" in line, "ours" in line) for line in differing(runs)] == [(True, True)]


def test_speeds_are_medians_by_core_and_by_clock() -> None:
    """One slow turn of three does not count."""
    found = speeds([run("ours", 1.0), run("ours", 9.0), run("ours", 2.0)])
    assert found == {"ours": {"core": 500_000.0, "wall": 250_000.0}}


def test_ratios_and_budgets_follow_from_the_speeds() -> None:
    """Ours beside each arm; a budget is met at its limit, and the faster of the peers per event is what counts."""
    kernel, event = run("kernel", 0.75), run("quix_event", 10.0)
    measured = speeds([run("ours"), kernel, event, run("bytewax_event", 9.0), run("quix_batch", 0.5)])
    assert ratios(measured)["kernel"] == pytest.approx(0.75)
    met = {what: line["met"] for what, line in budget(measured).items()}
    assert list(met.values()) == [True, True, False, False]
    assert budget(speeds([run("ours"), kernel, event])).popitem()[1]["met"]


def test_the_table_has_a_line_an_arm_the_fastest_first() -> None:
    """Every arm stands in the table with how ours compares."""
    told = lines("title", speeds([run("ours"), run("kernel", 0.5)]))
    assert [line.split()[0] for line in told[1:]] == ["kernel", "ours"]
    assert told[1].endswith("0.50")
