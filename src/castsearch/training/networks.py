"""A re-identification network: a backbone, its pooling, an embedding, a neck and a classifier."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from castsearch.errors import InputError
from castsearch.models import config as models
from castsearch.training.efficientnet import EfficientNetLite0
from castsearch.training.options import Options
from castsearch.training.recipes import LastStride, Pooling, Recipe
from castsearch.training.resnet import DEPTHS, ResNet
from castsearch.training.weights import fit, read_state

LITE0 = "efficientnet-lite0"
BACKBONES: tuple[str, ...] = (*DEPTHS, LITE0)


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """What a re-ID network is made of.

    ``embedding_dim`` 0 keeps the backbone's own width, else a linear layer leads to that many.
    ``last_stride`` 1 and ``bnneck`` are those of "Bag of Tricks" (Luo et al., CVPRW 2019);
    ``pooling`` "gem" is the generalised mean with a learnable exponent (Radenovic et al. 2018).
    """

    arch: str
    embedding_dim: int = 0
    last_stride: LastStride = 2
    bnneck: bool = False
    pooling: Pooling = "avg"

    def __post_init__(self) -> None:
        """Check every value, since checkpoints and command lines carry them.

        Raises:
            InputError: a value is not one of those above.
        """
        if self.arch not in BACKBONES:
            raise InputError(
                f"{self.arch!r} is not a network for re-identification; choose one of "
                f"{', '.join(BACKBONES)}."
            )
        if self.embedding_dim < 0:
            raise InputError(f"The embedding size must be 0 or more, not {self.embedding_dim}.")
        if self.last_stride not in (1, 2):
            raise InputError(f"The last stride must be 1 or 2, not {self.last_stride}.")
        if self.pooling not in ("avg", "gem"):
            raise InputError(f"The pooling must be 'avg' or 'gem', not {self.pooling!r}.")


class AveragePooling(nn.Module):
    """The mean over the positions of each feature map."""

    def forward(self, maps: Tensor) -> Tensor:
        """Feature maps, shape (n, dim, h, w), to (n, dim)."""
        return maps.mean(dim=(2, 3))


class GeneralisedMeanPooling(nn.Module):
    """The p-mean over positions: p = 1 averages, p to infinity takes the maximum; p is learnt.

    Source: Radenovic et al., "Fine-tuning CNN Image Retrieval with No Human Annotation" (2018),
    equation 3, with its initial p = 3.
    """

    def __init__(self, p: float = 3.0, smallest: float = 1e-6) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor([p]))
        self.smallest = smallest

    def forward(self, maps: Tensor) -> Tensor:
        """Feature maps, shape (n, dim, h, w), non-negative, to (n, dim)."""
        # A zero has no gradient of its power, so values are kept above `smallest`.
        return maps.clamp(min=self.smallest).pow(self.p).mean(dim=(2, 3)).pow(1.0 / self.p)


class ReidNetwork(nn.Module):
    """Pictures in, embeddings out.

    ``features`` is what a triplet loss sees, ``neck`` what retrieval uses, ``classifier`` what an
    identity loss sees; the classifier exists only for ``n_identities > 0``.
    """

    def __init__(self, options: NetworkOptions, n_identities: int = 0) -> None:
        super().__init__()
        self.options = options
        self.backbone: ResNet | EfficientNetLite0 = (
            EfficientNetLite0(0, last_stride=options.last_stride)
            if options.arch == LITE0
            else ResNet(DEPTHS[options.arch], 0, last_stride=options.last_stride)
        )
        self.pooling = GeneralisedMeanPooling() if options.pooling == "gem" else AveragePooling()
        self.dim: int = options.embedding_dim or self.backbone.dim
        self.embedding: nn.Module = (
            nn.Linear(self.backbone.dim, self.dim) if options.embedding_dim else nn.Identity()
        )
        self.neck: nn.Module = nn.Identity()
        if options.bnneck:
            self.neck = nn.BatchNorm1d(self.dim)
            # A shift would move the classes' hyperplanes off the origin (Luo et al., section 4.6).
            self.neck.bias.requires_grad_(False)
        self.classifier: nn.Module | None = None
        if n_identities:
            self.classifier = nn.Linear(self.dim, n_identities, bias=not options.bnneck)
            nn.init.normal_(self.classifier.weight, std=0.001)

    def features(self, x: Tensor) -> Tensor:
        """Raw embeddings before the neck, shape (n, dim), of pictures (n, 3, h, w)."""
        return self.embedding(self.pooling(self.backbone.maps(x)))

    def forward(self, x: Tensor) -> Tensor:
        """Embeddings for retrieval, shape (n, dim), not yet normalised, of pictures (n, 3, h, w).

        Pictures are RGB, float32, with the mean taken off and divided by the deviation.
        """
        return self.neck(self.features(x))


def network_options(recipe: Recipe, arch: str) -> NetworkOptions:
    """What a recipe makes a network of ``arch`` of.

    Raises:
        InputError: a value is not one that a network can have.
    """
    return NetworkOptions(
        arch, recipe.embedding_dim, recipe.last_stride, recipe.bnneck, recipe.pooling
    )


def build(options: NetworkOptions, n_identities: int = 0) -> ReidNetwork:
    """A network with freshly drawn weights (from torch's global random state)."""
    return ReidNetwork(options, n_identities)


def imagenet(arch: str) -> models.Model:
    """The entry of the model table with the public ImageNet weights of a backbone.

    Its ``mean`` and ``std`` are those that the weights were trained with.
    """
    return models.BY_NAME[arch if arch == LITE0 else f"{arch}-imagenet"]


def weight_file(name: str | Path) -> Path:
    """The file of backbone weights that ``name`` means: a path, or a model of the table.

    Models with a URL are downloaded where they are not here yet.

    Raises:
        InputError: there is neither, or the model is not the weights of a backbone.
        CastsearchError: the download fails.
    """
    if Path(name).is_file():
        return Path(name)
    fitting = {
        model.name: model
        for model in models.table().values()
        if model.kind == "backbone weights" or model.name == LITE0
    }
    if str(name) not in fitting:
        raise InputError(
            f"{name}: no such weight file, and no backbone weights of that name; known are "
            f"{', '.join(fitting)}."
        )
    return models.weights(fitting[str(name)])


def load_backbone(network: ReidNetwork, path: Path) -> None:
    """Fill the backbone of ``network`` from a weight file; the rest keeps its values.

    Takes torchvision's ImageNet files, the public EfficientNet-lite0 file and castsearch's own
    checkpoints. The last layer of a classifier (``fc``) is left out.

    Raises:
        InputError: the file is no torch weight file, or belongs to another architecture.
    """
    state = read_state(path)
    backbone = {
        k.removeprefix("backbone."): v for k, v in state.items() if k.startswith("backbone.")
    }
    fit(
        network.backbone,
        backbone or state,
        path,
        what=network.options.arch,
        leave_out=("fc", "_fc"),
    )


def start_network(options: Options, n_identities: int) -> ReidNetwork:
    """A network with its first weights: a file's, those of an installed package, or drawn.

    EfficientNet-lite0 starts from the ImageNet weights that its package carries; a ResNet at
    random, since no package carries any, unless ``options.weights`` names a file.

    Raises:
        InputError: the weights are missing or of another architecture.
    """
    recipe = options.recipe
    made_of = network_options(recipe, options.arch)
    network = build(made_of, n_identities if recipe.identity_weight else 0)
    if options.weights is not None:
        load_backbone(network, options.weights)
    elif options.arch == LITE0:
        load_backbone(network, models.weights(models.BY_NAME[LITE0]))
    # Depthwise convolutions run half again as fast on CPUs so, and tensor cores want it.
    network.to(memory_format=torch.channels_last)
    return network
