"""The command `headgate schemas`, on a copy of the committed schemas in a git repository of its own."""

import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from schemas.catalogue import CATALOGUE, RECORDS
from schemas.errors import SchemaError
from streams.cli import schemas as cli


def git(folder: Path, *arguments: str) -> None:
    """Run git as a person who has no settings."""
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the command a copy of schemas/avro, committed but in no tag."""
    copied = tmp_path / "avro"
    shutil.copytree(cli.FOLDER, copied)
    monkeypatch.setattr(cli, "FOLDER", copied)
    git(copied, "init", "-q")
    git(copied, "add", ".")
    git(copied, "commit", "-q", "-m", "schemas")
    return copied


def run(*arguments: str) -> str:
    """Run the command and return what it printed."""
    result = CliRunner().invoke(cli.command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_check_agrees_and_list_names_every_record() -> None:
    """The committed schemas pass, and each record is listed with its id."""
    assert f"{len(RECORDS)} records agree" in run("check")
    assert all(f" {cls.__name__}.{max(CATALOGUE.versions[cls.__name__])} " in run("list") for _, cls in RECORDS[:3])


def test_check_names_a_file_without_an_id(folder: Path) -> None:
    """A stray .avsc fails the check."""
    (folder / "Stray.1.avsc").write_text("{}", encoding="utf-8")
    with pytest.raises(SchemaError, match=r"Stray\.1\.avsc has no id"):
        CliRunner().invoke(cli.command, ["check"], catch_exceptions=False)


def test_generating_what_is_committed_changes_nothing(folder: Path) -> None:
    """Generation is idempotent down to the byte."""
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    run("generate")
    run("generate", "--unreleased")
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_what_a_tag_holds_is_released(folder: Path) -> None:
    """Only files that some tag holds count as released."""
    assert cli._released() == frozenset()
    git(folder, "tag", "v1")
    assert "AuditEntry.1.avsc" in cli._released()


def test_unreleased_outside_git_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git nothing is known of releases, so nothing may be overwritten."""
    monkeypatch.setattr(cli, "FOLDER", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(SchemaError, match="needs git"):
        CliRunner().invoke(cli.command, ["generate", "--unreleased"], catch_exceptions=False)
