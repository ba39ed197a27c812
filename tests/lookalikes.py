"""Generated tables that behave like well-known ones: their types, gaps, repeats, seasons and order."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.frames import Frame

Floats = NDArray[np.float64]


def _made(name: str, features: dict[str, Any], target: Any, **more: Any) -> Frame:
    group = more.pop("group", None)
    if group is None:
        group = np.where(np.random.default_rng(11).random(len(target)) < 0.3, "b", "a").astype(object)
    return Frame(name, features, target, group=group, **more)


@cache
def census(rows: int = 10_000) -> Frame:
    """Like Adult: codes, texts with missing cells, a capital gain that is 0 for most, unequal groups that differ."""
    rng = np.random.default_rng(21)
    age = rng.gamma(9, 4.3, rows).round().clip(17, 90)
    schooling = rng.choice([4.0, 7, 9, 9, 9, 10, 10, 13, 13, 14, 16], rows)
    work = rng.choice(
        np.array(["private", "self", "state", "federal", "none"], object), rows, p=[0.7, 0.12, 0.1, 0.05, 0.03]
    )
    work[rng.random(rows) < 0.055] = None
    country = rng.choice(np.array([f"c{n}" for n in range(60)], object), rows, p=_zipf(60, 2.2))
    gain = np.where(rng.random(rows) < 0.08, rng.lognormal(8.5, 1, rows).round(), 0.0)
    hours = np.where(rng.random(rows) < 0.45, 40.0, rng.normal(40, 12, rows).round().clip(1, 99))
    weight = rng.lognormal(12, 0.5, rows).round()
    group = np.where(rng.random(rows) < 0.33, "b", "a").astype(object)
    risk = 0.06 * (age - 38) + 0.35 * (schooling - 10) + 0.04 * (hours - 40) + (gain > 5000) * 3 - (group == "b") - 1.4
    target = (rng.random(rows) < 1 / (1 + np.exp(-risk))).astype(int)
    features = {"age": age, "schooling": schooling, "work": work, "country": country, "gain": gain, "hours": hours}
    return _made("census", features | {"weight": weight}, target, group=group)


def _zipf(kinds: int, power: float) -> Floats:
    share = 1 / np.arange(1, kinds + 1) ** power
    return share / share.sum()


@cache
def fraud(rows: int = 30_000) -> Frame:
    """Like credit card fraud: 0.5 % positives, heavy tails, components of no name."""
    rng = np.random.default_rng(22)
    target = (rng.random(rows) < 0.005).astype(int)
    features: dict[str, Any] = {
        f"v{n}": rng.standard_t(4, rows) * (3 / (n + 1)) + 3 * target * (n < 4) for n in range(12)
    }
    features["amount"] = rng.lognormal(3, 1.6, rows).round(2)
    seconds = np.sort(rng.integers(0, 172_800, rows)).astype(float)
    return _made("fraud", features, target, time=seconds + 1.6e9)


@cache
def cover() -> Frame:
    """Like forest cover: sorted by region, so that features wander; binary codes, seven classes."""
    rng, rows = np.random.default_rng(23), 20_000
    wander = np.cumsum(rng.normal(0, 1, rows)) / 60
    height = 2800 + 150 * wander + rng.normal(0, 120, rows)
    features: dict[str, Any] = {"height": height.round(), "slope": rng.gamma(3, 5, rows).round()}
    features["road"] = (rng.gamma(2, 900, rows) * (1.5 + np.sin(wander))).round()
    soil = (height // 90 + rng.integers(0, 2, rows)) % 8
    features |= {f"soil{n}": (soil == n).astype(float) for n in range(8)}
    score = height / 100 + rng.normal(0, 1.2, rows) - features["slope"] / 30
    target = np.digitize(score, np.quantile(score, [0.2, 0.4, 0.55, 0.75, 0.88, 0.96]))
    return _made("cover", features, target.astype(int), classes=7)


@cache
def houses() -> Frame:
    """Like California housing: rows in the order of places, heavy tails, capped prices to predict."""
    rng, rows = np.random.default_rng(24), 20_000
    place = np.repeat(rng.normal(0, 1, rows // 50), 50)[:rows]
    income = np.exp(1.2 + 0.3 * place + rng.normal(0, 0.35, rows))
    features = {
        "income": income,
        "age": rng.integers(1, 53, rows).astype(float),
        "rooms": 5 + rng.standard_t(3, rows).clip(-4, 60),
        "people": rng.lognormal(7, 0.7, rows).round(),
        "crowd": 3 + rng.lognormal(-1, 0.5, rows) + (rng.random(rows) < 0.001) * 500,
        "north": 35 + 2 * place + rng.normal(0, 0.3, rows),
    }
    price = (0.45 * income + 0.4 * place + rng.normal(0, 0.5, rows)).clip(0.15, 5)
    return _made("houses", features, price, classes=0)


@cache
def bikes() -> Frame:
    """Like bike sharing: hourly rows over two years, season of the day and the year, a count to predict."""
    rng, rows = np.random.default_rng(25), 17_000
    hour, day = np.arange(rows) % 24, np.arange(rows) / 24
    year = np.sin(2 * np.pi * (day - 110) / 365)
    daily = _ar(rng, rows, 0.97)
    warm = 0.5 + 0.25 * year + 0.06 * np.sin(2 * np.pi * (hour - 9) / 24) + 0.03 * daily
    features = {
        "hour": hour.astype(float),
        "weekday": (day.astype(int) % 7).astype(float),
        "temp": warm.round(2),
        "humidity": (0.6 - 0.1 * np.sin(2 * np.pi * (hour - 9) / 24) + 0.08 * _ar(rng, rows, 0.95)).round(2),
        "wind": np.where(rng.random(rows) < 0.12, 0.0, rng.gamma(3, 0.06, rows)).round(4),
        "weather": rng.choice([1.0, 1, 1, 1, 2, 2, 3], rows),
    }
    peak = np.exp(-((hour - 8) ** 2) / 4) + np.exp(-((hour - 17.5) ** 2) / 6)
    count = (180 * peak + 250 * warm + rng.gamma(2, 20, rows)).round()
    at = np.datetime64("2011-01-01") + np.arange(rows) * np.timedelta64(1, "h")
    return _made("bikes", features, count, classes=0, time=at.astype(str).astype(object))


def _ar(rng: Any, rows: int, phi: float) -> Floats:
    noise, out = rng.normal(0, np.sqrt(1 - phi**2), rows), np.zeros(rows)
    for i in range(1, rows):
        out[i] = phi * out[i - 1] + noise[i]
    return out


@cache
def flights() -> Frame:
    """Like airlines: texts of many kinds, hours and lengths, noisy labels."""
    rng, rows = np.random.default_rng(26), 40_000
    carrier = rng.choice(np.array([f"A{n}" for n in range(18)], object), rows, p=_zipf(18, 0.8))
    origin = rng.choice(np.array([f"P{n}" for n in range(290)], object), rows, p=_zipf(290, 1.1))
    hour = (np.arange(rows) / rows * 31 * 1440 % 1440).round()
    length = rng.gamma(4, 33, rows).round()
    features = {"carrier": carrier, "origin": origin, "minute": hour, "length": length}
    risk = 0.001 * (hour - 700) + 0.3 * (carrier == "A1") - 0.4
    return _made("flights", features, (rng.random(rows) < 1 / (1 + np.exp(-risk))).astype(int))


@cache
def weather() -> Frame:
    """Like daily weather of fifty years: a row a day, a yearly season, rain or none."""
    rng, rows = np.random.default_rng(27), 18_000
    day = np.arange(rows)
    year = np.sin(2 * np.pi * (day - 100) / 365.25)
    temp = 50 + 25 * year + 8 * _ar(rng, rows, 0.75)
    dew = temp - 8 + 4 * _ar(rng, rows, 0.5)
    features = {"temp": temp, "dew": dew, "pressure": 1013 + 7 * _ar(rng, rows, 0.7), "sight": rng.gamma(20, 0.6, rows)}
    features["gust"] = np.where(rng.random(rows) < 0.4, np.nan, rng.gamma(6, 4, rows).round(1))
    risk = 0.25 * (dew - temp + 8) - 0.08 * (features["pressure"] - 1013) - 0.8
    at = np.datetime64("1949-01-01") + day * np.timedelta64(1, "D")
    target = (rng.random(rows) < 1 / (1 + np.exp(-risk))).astype(int)
    return _made("weather", features, target, time=at.astype(str).astype(object))


@cache
def wine() -> Frame:
    """Like wine quality: 6,000 rows with many repeats, duplicates, an ordered quality of few at the ends."""
    rng, rows = np.random.default_rng(28), 6_000
    acid, sugar = rng.normal(6.8, 0.8, rows).round(1), rng.lognormal(1.3, 0.8, rows).round(1)
    alcohol = (10.5 + rng.gamma(2, 0.5, rows) - 0.05 * sugar).round(1)
    features = {"acid": acid, "sugar": sugar, "alcohol": alcohol, "chlorides": rng.lognormal(-3.1, 0.3, rows).round(3)}
    copy = rng.random(rows) < 0.15
    source = np.maximum(np.arange(rows) - rng.integers(1, 40, rows), 0)
    features = {name: np.where(copy, values[source], values) for name, values in features.items()}
    score = 0.5 * features["alcohol"] - 0.2 * features["acid"] + rng.normal(0, 0.6, rows)
    target = np.digitize(score, np.quantile(score, [0.03, 0.3, 0.75, 0.95]))
    return _made("wine", features, target.astype(int), classes=5)


@cache
def sensors(rows: int = 8_000) -> Frame:
    """Like room occupancy: a reading a minute, sticky values, lights that are off all night, a constant column."""
    rng = np.random.default_rng(29)
    minute = np.arange(rows)
    inside = ((minute % 1440 > 500) & (minute % 1440 < 1080) & (np.sin(minute / 190) > -0.4)).astype(int)
    level = _ar(rng, rows, 0.995)
    features = {
        "temperature": (21 + 0.8 * level + 0.7 * inside).round(1),
        "humidity": (26 + 2 * _ar(rng, rows, 0.997)).round(2),
        "light": np.where(inside == 1, 450 + 30 * rng.normal(0, 1, rows), 0.0).round(0),
        "co2": (500 + 250 * inside + 60 * _ar(rng, rows, 0.97)).round(0),
        "floor": np.full(rows, 3.0),
        "code": rng.choice([1.0, 2, 3], rows, p=[0.8, 0.15, 0.05]),
    }
    at = 1.42e9 + 60 * minute
    return _made("sensors", features, inside, time=at.astype(float))


@cache
def clinic() -> Frame:
    """A short table, 2,000 rows of correlated measurements with a rounded one and some missing from the start."""
    rng, rows = np.random.default_rng(30), 2_000
    size = rng.normal(0, 1, rows)
    features: dict[str, Any] = {f"m{n}": 10 + 3 * size + rng.normal(0, 1 + n / 4, rows) for n in range(6)}
    features["count"] = rng.poisson(3, rows).astype(float)
    features["marker"] = np.where(rng.random(rows) < 0.2, np.nan, rng.lognormal(0, 1, rows))
    target = (size + rng.normal(0, 0.4, rows) > 0.3).astype(int)
    return _made("clinic", features, target)


GENERATED = (census, fraud, cover, houses, bikes, flights, weather, wine, sensors, clinic)
