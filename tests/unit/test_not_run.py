"""The watch over skips, run on small suites of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SUITE = """
import pytest

def test_that_runs(): pass

{body}
"""


def _run(tmp_path: Path, body: str, **settings: str) -> subprocess.CompletedProcess[str]:
    tests = tmp_path / "tests"
    tests.mkdir()
    for name in ("conftest.py", "not-run.toml"):
        shutil.copy(ROOT / "tests" / name, tests / name)
    (tests / "test_suite.py").write_text(SUITE.format(body=body))
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    broker: uses one\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HEADGATE_", "COV_", "PYTEST_"))}
    environ = kept | settings | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
    return subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "bodies",
    [
        {
            "test_skips": "def test_skips(): pytest.skip('not today')",
            "test_marked": "@pytest.mark.skip(reason='later')\ndef test_marked(): pass",
            "test_pretends": "def test_pretends(): pytest.skip('not run: this broker is not ours to stop')",
        },
        {"test_suite.py": "pytest.skip('the whole module', allow_module_level=True)"},
    ],
    ids=["tests", "module"],
)
def test_a_skip_that_nobody_permitted_fails_the_run(tmp_path: Path, bodies: dict[str, str]) -> None:
    """A skip in a test, a mark or a module fails the run, and so does a permitted reason in the wrong place."""
    done = _run(tmp_path, "\n\n".join(bodies.values()))
    assert done.returncode == 1, done.stdout
    complaints = [line for line in done.stdout.splitlines() if "tests/not-run.toml does not permit" in line]
    assert len(complaints) == len(bodies)
    assert all(name in line for name, line in zip(bodies, complaints, strict=True))


def test_absent_test_data_is_reported_as_not_run(tmp_path: Path) -> None:
    """Without the published data the tests that need it are skipped with that reason, and the run passes."""
    done = _run(tmp_path, "def test_vectors(data): pass")
    assert done.returncode == 0, done.stdout
    assert "1 passed, 1 skipped" in done.stdout


def test_test_data_that_was_named_and_is_absent_fails(tmp_path: Path) -> None:
    """Who names a directory means it."""
    done = _run(tmp_path, "def test_vectors(data): pass", HEADGATE_TEST_DATA=str(tmp_path / "nowhere"))
    assert done.returncode == 1, done.stdout


def test_a_complete_run_without_a_broker_test_fails(tmp_path: Path) -> None:
    """`make test` cannot be green when no test used a broker."""
    done = _run(tmp_path, "", HEADGATE_TEST_COMPLETE="1")
    assert done.returncode == 1, done.stdout
    assert "no test on a broker passed" in done.stdout


def test_a_complete_run_with_a_broker_test_passes(tmp_path: Path) -> None:
    """One test marked `broker` that passes is enough for the watch."""
    done = _run(tmp_path, "@pytest.mark.broker\ndef test_on_a_broker(): pass", HEADGATE_TEST_COMPLETE="1")
    assert done.returncode == 0, done.stdout


def test_a_misspelt_setting_stops_the_tests(tmp_path: Path) -> None:
    """HEADGATE_TEST_BROKR is an error, not a silent default."""
    done = _run(tmp_path, "", HEADGATE_TEST_BROKR="docker")
    assert done.returncode == 4
    assert "HEADGATE_TEST_BROKER" in done.stderr
