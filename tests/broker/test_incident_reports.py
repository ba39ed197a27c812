"""Reports and the evidence package of an incident at the command line, on a real broker."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from streams.settings import DEPLOY, Settings
from tests.desk import Desk, registrar

pytestmark = pytest.mark.broker
INCIDENT = "told-1"


def test_an_incident_is_reported_and_handed_over(settings: Settings, tmp_path: Path) -> None:
    """Forms are listed and written; the package verifies under a Python that has no library, and says where not."""
    desk = Desk(settings)
    desk.run("init", "--systems", str(DEPLOY / "systems.toml"))
    with registrar(settings):
        desk.opened(INCIDENT)
    assert "art73" in desk.run("report", "forms")
    assert "What is not known" in desk.run("report", "incident", INCIDENT)
    assert "name its file with --out" in desk.fails("report", "incident", INCIDENT, "--format", "pdf")
    desk.run("report", "incident", INCIDENT, "--form", "art73", "--format", "pdf", "--out", str(tmp_path / "a.pdf"))
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")
    told = json.loads(desk.run("report", "incident", INCIDENT, "--form", "oecd", "--format", "json"))
    assert {answer["status"] for part in told["parts"] for answer in part["answers"]} == {"known", "partly", "unknown"}
    built = desk.json("evidence", "package", INCIDENT, "--out", str(tmp_path / "case.zip"), "--with-evidence")
    assert len(built["manifest_sha256"]) == 64
    with zipfile.ZipFile(tmp_path / "case.zip") as archive:
        archive.extractall(tmp_path)
    verifier = [sys.executable, "-I", "-S", str(tmp_path / "case" / "verify.py")]
    found = subprocess.run(verifier, capture_output=True, text=True, check=False)
    assert found.stdout.endswith("\nVERIFIED\n"), found.stdout + found.stderr
    assert built["manifest_sha256"] in found.stdout
    trust = str(settings.var / "trust.json")
    assert "VERIFIED" in desk.run("evidence", "verify", str(tmp_path / "case"), "--trust", trust)
    (tmp_path / "case" / "README.txt").write_text("trust me")
    assert subprocess.run(verifier, capture_output=True, check=False).returncode == 1
