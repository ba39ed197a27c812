"""The NAB bench: its scorer reproduces what is published, and our detector is what the project asks for."""

import json
from pathlib import Path

import numpy as np
import pytest

from agents.detection.series.detector import SeriesDetector
from schemas.thresholds import Series as Policy
from tests.bench.nab.__main__ import LEAST, LEAST_HELD_OUT, folders, held_out, ours, profiles
from tests.bench.nab.corpus import Series, published, series
from tests.bench.nab.score import Best, Profile, best, raw_at, worth_of


@pytest.fixture(scope="module")
def root(data: Path) -> Path:
    """Where the NAB files are."""
    return data / "nab-dev"


@pytest.fixture(scope="module")
def corpus(root: Path) -> list[Series]:
    """The files."""
    return series(root)


def test_the_scorer_reproduces_every_published_number(root: Path, corpus: list[Series]) -> None:
    """Score, threshold, hits and false rows of three detectors in three profiles are those that come with the data."""
    for detector, wanted in json.loads((root / "dev_scores.json").read_text("utf-8"))["detectors"].items():
        scores = [published(root, detector, one.name) for one in corpus]
        for name, profile in profiles(root).items():
            worth = [worth_of(len(one.values), one.windows, profile) for one in corpus]
            found, given = best(list(zip(scores, worth, strict=True)), profile), wanted[name]
            assert found == Best(
                pytest.approx(given["score"], abs=1e-9),
                pytest.approx(given["raw_score"], abs=1e-9),
                given["threshold"],
                given["hits"],
                given["false_rows"],
            )
            assert raw_at(list(zip(scores, worth, strict=True)), profile, given["threshold"]) == found.raw


def test_the_scorer_gives_nothing_for_silence_and_all_for_perfection() -> None:
    """No alarm scores 0, an alarm in the first row of every window and nowhere else nearly 100."""
    profile = Profile(1.0, 1.0, 0.11)
    worth = worth_of(1000, ((500, 599), (800, 899)), profile)
    silent, perfect = np.zeros(1000), np.zeros(1000)
    perfect[[500, 800]] = 1.0
    assert raw_at([(silent, worth)], profile, 0.5) == -2.0
    assert best([(perfect, worth)], profile).score == pytest.approx(100.0, abs=0.1)


def test_nab_is_beaten_with_one_threshold_and_held_out(root: Path, corpus: list[Series]) -> None:
    """Ours scores what the project asks, also where each folder is judged by the threshold of the others."""
    standard = profiles(root)["standard"]
    scores, _ = ours(corpus, Policy())
    files = [(s, worth_of(len(one.values), one.windows, standard)) for one, s in zip(corpus, scores, strict=True)]
    assert best(files, standard).score >= LEAST
    assert held_out(corpus, [scores], standard, list(folders(corpus).values())) >= LEAST_HELD_OUT


def test_a_file_cut_anywhere_has_the_same_first_scores(corpus: list[Series]) -> None:
    """On published files, the scores of the first k rows equal those of the file cut at k."""
    rng = np.random.default_rng(7)
    for one in corpus[3::10]:
        whole = SeriesDetector(Policy()).update(one.values, one.milliseconds).scores
        for rows in rng.integers(1, len(one.values), 3).tolist():
            cut = SeriesDetector(Policy()).update(one.values[:rows], one.milliseconds[:rows]).scores
            assert np.array_equal(cut, whole[:rows])
