"""The rules of the house that no other tool checks: size, shape, and what tests must say."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("schemas", "agents", "streams", "sdk/headgate")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MODULE_LINES = 300
FUNCTION_LINES = 70
# A class whose name says only that it helps says nothing.
EMPTY_NAMES = re.compile(r"(Manager|Helper|Util|Utils|Base|Impl)$")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _definitions(path: Path) -> Iterator[ast.ClassDef | Function]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", SOURCES + TESTS, ids=_name)
def test_a_module_is_short_enough_to_read_at_once(path: Path) -> None:
    """No module has more than 300 lines."""
    lines = len(path.read_text("utf-8").splitlines())
    assert lines <= MODULE_LINES, f"{_name(path)} has {lines} lines; {MODULE_LINES} are allowed"


@pytest.mark.parametrize("path", SOURCES + TESTS, ids=_name)
def test_a_function_is_short_and_a_class_has_a_telling_name(path: Path) -> None:
    """No function has more than 70 lines, and no class is a Manager, a Helper or a Base."""
    for node in _definitions(path):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        assert isinstance(node, ast.ClassDef) or lines <= FUNCTION_LINES, f"{node.name} has {lines} lines"
        assert not isinstance(node, ast.ClassDef) or not EMPTY_NAMES.search(node.name), f"{node.name} says nothing"


@pytest.mark.parametrize("path", TESTS, ids=_name)
def test_a_test_says_what_is_true_when_it_passes(path: Path) -> None:
    """Each test function has a docstring."""
    silent = [
        node.name
        for node in _definitions(path)
        if not isinstance(node, ast.ClassDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert not silent, f"{_name(path)}: no docstring in {', '.join(silent)}"


def test_nothing_below_streams_waives_the_ban_on_clock_chance_and_environment() -> None:
    """Below streams nothing asks environment, clock or chance: ruff bans it, and nobody switches the ban off."""
    sources = [path for path in SOURCES if path.relative_to(ROOT).parts[0] in {"schemas", "agents"}]
    waived = [_name(path) for path in sources if re.search(r"noqa:.*TID251", path.read_text("utf-8"))]
    assert not waived, f"waives the ban on clock, chance and environment: {waived}"


def test_every_requirement_is_pinned_with_a_hash_and_no_address() -> None:
    """Each requirement stands as name==version with SHA-256, and the files name no place to download from."""
    for name in ("app", "dev"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
        assert "://" not in text
        entries = re.split(r"\n(?=\S)", text.strip())
        assert len(entries) > 20
        assert all(re.match(r"[\w.\[\]-]+==\S+", entry) and "--hash=sha256:" in entry for entry in entries), name


def test_every_permitted_skip_says_when_and_why() -> None:
    """Each entry of tests/not-run.toml is complete, and its condition is one that conftest.py knows."""
    conditions = re.findall(r'^    "([a-z-]+)": lambda', (ROOT / "tests/conftest.py").read_text("utf-8"), re.MULTILINE)
    for entry in tomllib.loads((ROOT / "tests/not-run.toml").read_text("utf-8"))["permitted"]:
        assert set(entry) == {"tests", "says", "when", "because"}
        assert entry["when"] in conditions
        assert entry["says"].startswith("not run: ")
