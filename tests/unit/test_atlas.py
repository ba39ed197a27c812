"""The trimmed table of MITRE ATLAS is what MITRE published."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas import atlas


def test_every_id_name_and_tactic_is_the_published_one(data: Path) -> None:
    """Version, techniques and tactics equal those of ATLAS.yaml; a sub-technique has its parent's tactics."""
    published: dict[str, Any] = yaml.safe_load((data / "atlas" / "ATLAS.yaml").read_text("utf-8"))
    assert published["version"] == atlas.VERSION
    (matrix,) = published["matrices"]
    tactics = {tactic["id"]: tactic["name"] for tactic in matrix["tactics"]}
    assert {name: tactics[name] for name in atlas.TACTICS} == dict(atlas.TACTICS)
    techniques = {technique["id"]: technique for technique in matrix["techniques"]}
    for ours in atlas.TECHNIQUES.values():
        theirs = techniques[ours.id]
        assert theirs["name"] == ours.name
        named = theirs if "tactics" in theirs else techniques[theirs["subtechnique-of"]]
        assert tuple(named["tactics"]) == ours.tactics
    used = {tactic for technique in atlas.TECHNIQUES.values() for tactic in technique.tactics}
    assert used == set(atlas.TACTICS)


def test_the_copyright_notice_goes_with_the_table() -> None:
    """Module and NOTICE name MITRE's copyright, the version and that it was changed."""
    notice = (Path(__file__).parents[2] / "NOTICE").read_text("utf-8")
    for text in (atlas.__doc__ or "", notice):
        for said in ("Copyright 2021-2025 MITRE", "Apache License, Version 2.0", atlas.VERSION, "Changed: trimmed"):
            assert said in text


def test_an_unknown_technique_is_refused() -> None:
    """Only ids of the table pass."""
    assert atlas.check("AML.T0051") == "AML.T0051"
    with pytest.raises(ValueError, match=r"AML\.T9999 is no technique"):
        atlas.check("AML.T9999")
