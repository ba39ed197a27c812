"""What the documents say is held against the tree."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.__main__ import COMMANDS, headgate
from streams.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "tests/README.md", "sdk/README.md")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
ROW = re.compile(r"^\| [A-Z]\d+ \|", re.MULTILINE)


def test_the_feature_table_names_files_and_tests_that_exist() -> None:
    """Each row has a place in the code and a test function, and both are there."""
    rows = [line for line in README.splitlines() if ROW.match(line)]
    assert len(rows) > 10
    for row in rows:
        where, test = row.split("|")[4:6]
        assert (ROOT / where.strip(" `")).is_file(), row
        assert TEST.search(test), row


@pytest.mark.parametrize("found", TEST.findall(README), ids="::".join)
def test_every_test_that_is_named_exists(found: tuple[str, str]) -> None:
    """The function stands in the file."""
    file, function = found
    assert f"def {function}(" in (ROOT / file).read_text("utf-8")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_is_linked_exists(document: str) -> None:
    """A link within the project leads somewhere."""
    text = (ROOT / document).read_text("utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / document).parent.joinpath(target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_that_is_shown_exists(document: str) -> None:
    """`headgate X` is a command of the command line, and `make X` a target of the Makefile."""
    text = (ROOT / document).read_text("utf-8")
    names = {name for name, _ in COMMANDS}
    for command in re.findall(r"(?:^|`|/)headgate ([a-z]+)", text, re.MULTILINE):
        assert command in names, command
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for target in re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE):
        assert target in targets, target


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_setting_that_is_named_exists(document: str) -> None:
    """HEADGATE_X is a field of the settings."""
    text = (ROOT / document).read_text("utf-8")
    for name in re.findall(r"HEADGATE_([A-Z_]+)", text):
        assert name.lower() in Settings.model_fields, name


@pytest.mark.parametrize("name", [name for name, _ in COMMANDS])
def test_every_command_explains_itself(name: str) -> None:
    """`--help` answers and says more than the usage."""
    done = CliRunner().invoke(headgate, [name, "--help"])
    assert done.exit_code == 0
    assert len(done.output.splitlines()) > 6
