"""A systems document says where each model is, and contradicts itself nowhere."""

import pytest

from schemas import systems
from schemas.errors import PolicyError
from tests.ledgers import SYSTEMS

HEAD = 'version = 1\n[systems.s]\nscope = "x"\n'


def test_the_document_that_is_shipped_is_valid() -> None:
    """deploy/systems.toml declares the model of the demonstration."""
    found = systems.read(SYSTEMS).find("shuttle")
    assert found is not None
    assert (found[0], found[1].tier, found[2].known_good) == ("radiator", "high", "1")


def test_what_is_not_said_is_strict() -> None:
    """A system without a tier is of the strictest, and its data personal."""
    found = systems.read(f"{HEAD}[systems.s.models.m]".encode()).find("m")
    assert found is not None
    assert (found[1].tier, found[1].sensitivity) == ("high", "personal")


def test_an_undeclared_model_is_not_found() -> None:
    """What nobody declared has no system."""
    assert systems.read(b"version = 1").find("m") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "models"),
        ('[systems.s.models.m]\ntraffic = "envoy:m"', "needs known_good"),
        ('[systems.s.models.m]\nknown_good = "1"\ntraffic = "http://m"', "is no target"),
        ('[systems.s.models.m]\nknown_good = "1"\ntraffic = "envoy:m\\n"', "is no target"),
        ('[systems.s.models.m]\nknown_good = "1"\ntraffic = "envoy:mö"', "is no target"),
        ('[systems.s.models.m]\nknown_good = "1"\nversions = ["2"]', "not among its versions"),
        ('[systems.s.models.m]\ndepends_on = ["n"]', "depends on n"),
        ('[systems.s.models.m]\n[systems.t]\nscope = "y"\n[systems.t.models.m]', "declared in both s and t"),
        ("[systems.s.models.M]", "pattern"),
        ('owner = "triage"\n[systems.s.models.m]', "owned by people"),
        (
            "".join(f'[systems.s.models.{name}]\nknown_good = "1"\ntraffic = "envoy:x"\n' for name in "mn"),
            "belongs to both m and n",
        ),
    ],
)
def test_a_document_that_contradicts_itself_is_refused(text: str, says: str) -> None:
    """Each contradiction is named in one sentence."""
    with pytest.raises(PolicyError) as caught:
        systems.read((HEAD + text).encode())
    assert says in str(caught.value)


def test_a_model_may_read_another_systems_output() -> None:
    """Dependencies cross systems."""
    text = f'{HEAD}[systems.s.models.m]\ndepends_on = ["n"]\n[systems.t]\nscope = "y"\n[systems.t.models.n]'
    assert systems.read(text.encode()).systems["s"].models["m"].depends_on == ("n",)
