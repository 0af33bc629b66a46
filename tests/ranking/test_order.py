"""What an order weighs unless told otherwise."""

from __future__ import annotations

import dataclasses

import pytest

from castsearch.presets import preset
from castsearch.ranking.film import FilmSettings
from castsearch.ranking.order import Order, OrderSettings


@pytest.mark.parametrize(
    ("setting", "place", "value"),
    [
        ("neighbours=7", "links", 7),
        ("link_at=1.5", "links", 1.5),
        ("face_weight=0.4", "links", 0.4),
        ("others_at=0.25", "", 0.25),
        ("others_weight=0.6", "", 0.6),
        ("trust_at=0.6", "", 0.6),
        ("spread=0.5", "", 0.5),
        ("doubt=0.1", "", 0.1),
        ("adapt=0", "", 0.0),
        ("exclusive=false", "", False),
        ("competition=0", "", 0.0),
    ],
)
def test_each_setting_of_the_film_reaches_what_it_weighs(
    setting: str, place: str, value: object
) -> None:
    settings = preset("castsearch", [setting]).order.film
    part = settings.links if place else settings
    name = setting.partition("=")[0]
    assert getattr(part, name) == value
    assert getattr(FilmSettings().links if place else FilmSettings(), name) != value


def test_the_film_ranking_weighs_by_default_what_its_preset_does() -> None:
    assert preset("castsearch").order == OrderSettings(fusion="film")
    assert preset("castsearch").order.film == FilmSettings()


def test_an_order_takes_what_it_does_not_say() -> None:
    order = Order(lambda *_: None)  # type: ignore[arg-type, return-value]
    assert not any(dataclasses.astuple(order)[1:])
