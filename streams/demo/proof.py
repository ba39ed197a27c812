"""What a demonstration leaves: the exported ledger, executed again, and an evidence package that needs only Python."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from agents.ledger.fold import Trust
from schemas.errors import HeadgateError
from streams.demo.summary import Summary
from streams.documents import fetch
from streams.kafka import Clients
from streams.ledger.export import export_topic
from streams.ledger.source import Topic
from streams.ledger.verify import verify_folder
from streams.reports.package import Wanted, build
from streams.settings import Settings

_WITHIN = 60.0


def audited(settings: Settings, trust: Trust | None, summary: Summary) -> Mapping[str, object]:
    """Export the ledger, execute every decision again, and return what the audit found."""
    folder = settings.var / "ledger"
    export_topic(settings, trust, folder)
    report = verify_folder(folder, trust=trust, take=summary.take)
    return {"entries": report.entries, "root": report.root, "verified": report.verified}


def packaged(settings: Settings, trust: Trust, incident: str, names: Mapping[str, str]) -> Mapping[str, object]:
    """Build an incident's evidence package, and let its own verifier judge it with nothing of ours installed.

    The verifier runs isolated (-I) and without site-packages (-S): as in a bare virtual environment.
    """
    clients, folder = Clients(settings), settings.var / "evidence"
    wanted = Wanted(incident=incident, names=names, documents=lambda digests: fetch(clients, settings.ledger, digests))
    built = build(Topic(settings), trust, wanted, folder)
    return {"files": built.files, "manifest_sha256": built.manifest, "verified": _verifies(folder)}


def _verifies(folder: Path) -> bool:
    command = [sys.executable, "-I", "-S", "verify.py"]
    try:
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=_WITHIN)
    except subprocess.TimeoutExpired:
        raise HeadgateError(f"the verifier of {folder} did not end within {_WITHIN:.0f} s") from None
    return ran.returncode == 0 and ran.stdout.rstrip().endswith("\nVERIFIED")
