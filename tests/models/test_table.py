"""The built-in models: what the table says of them is so."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from castsearch.models.table import BUILT_IN, BY_NAME, KINDS, PRECISIONS, Model


def test_names_are_one_models_alone() -> None:
    assert not [name for name, n in Counter(m.name for m in BUILT_IN).items() if n > 1]
    assert list(BY_NAME) == [model.name for model in BUILT_IN]


@pytest.mark.parametrize("model", BUILT_IN, ids=lambda m: m.name)
def test_every_model_says_what_it_is_and_where_it_comes_from(model: Model) -> None:
    assert model.kind in KINDS
    assert model.precision in PRECISIONS
    assert model.origin
    assert model.licence
    assert model.package or model.url, "there is no way to it"
    # Its own code is in the checkout; everything else is pinned.
    assert model.package == "castsearch" or re.fullmatch("[0-9a-f]{64}", model.sha256)
    assert all(deviation > 0 for deviation in model.std)
    encodes = model.kind in {"face encoder", "body encoder", "backbone weights"}
    assert (model.dim > 0) is encodes


@pytest.mark.parametrize("model", [m for m in BUILT_IN if m.url], ids=lambda m: m.name)
def test_downloaded_models_pin_what_their_publisher_names(model: Model) -> None:
    # torchvision puts the first digits of the sha256 into the file name.
    assert len(model.sha256) == 64
    assert model.url.endswith(f"/{model.file}")
    assert model.file == f"{model.name.removesuffix('-imagenet')}-{model.sha256[:8]}.pth"


def test_the_integers_of_sface_are_of_the_same_file() -> None:
    exact, integer = BY_NAME["sface"], BY_NAME["sface-int8"]
    assert (exact.file, exact.sha256, exact.size) == (integer.file, integer.sha256, integer.size)
    assert (exact.precision, integer.precision) == ("float32", "int8")


def test_resnets_are_prepared_with_imagenets_statistics() -> None:
    # 0.485, 0.456, 0.406 and 0.229, 0.224, 0.225 of pixels in 0..1.
    model = BY_NAME["resnet50-imagenet"]
    assert model.mean == pytest.approx([255 * v for v in (0.485, 0.456, 0.406)])
    assert model.std == pytest.approx([255 * v for v in (0.229, 0.224, 0.225)])
