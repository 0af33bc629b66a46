"""EfficientNet-lite0: its table of stages, and an ONNX file made of its public weights.

The architecture is EfficientNet-B0 (Tan and Le, ICML 2019, table 1) without squeeze-and-excitation
and with ReLU6; the lite form scales neither the stem nor the head. The torch form in
``castsearch.train.efficientnet`` is built from the same table.
"""

from __future__ import annotations

from dataclasses import dataclass

STEM = 32
HEAD = 1280
BN_EPSILON = 1e-3


@dataclass(frozen=True, slots=True)
class Stage:
    """One row of the table: ``n_blocks`` blocks, of which the first strides."""

    expand: int
    n_out: int
    n_blocks: int
    stride: int
    kernel: int


STAGES: tuple[Stage, ...] = (
    Stage(expand=1, n_out=16, n_blocks=1, stride=1, kernel=3),
    Stage(expand=6, n_out=24, n_blocks=2, stride=2, kernel=3),
    Stage(expand=6, n_out=40, n_blocks=2, stride=2, kernel=5),
    Stage(expand=6, n_out=80, n_blocks=3, stride=2, kernel=3),
    Stage(expand=6, n_out=112, n_blocks=3, stride=1, kernel=5),
    Stage(expand=6, n_out=192, n_blocks=4, stride=2, kernel=5),
    Stage(expand=6, n_out=320, n_blocks=1, stride=1, kernel=3),
)
LAST_STRIDED_STAGE = 6


@dataclass(frozen=True, slots=True)
class Block:
    """One inverted residual block of stage ``stage`` (counted from 1)."""

    stage: int
    n_in: int
    n_out: int
    expand: int
    kernel: int
    stride: int

    @property
    def residual(self) -> bool:
        """Whether the input is added to the output: both have one shape."""
        return self.stride == 1 and self.n_in == self.n_out


def blocks(last_stride: int = 2) -> list[Block]:
    """All 16 blocks in order; ``last_stride`` replaces the stride of stage 6."""
    found: list[Block] = []
    n_in = STEM
    for number, stage in enumerate(STAGES, start=1):
        stride = last_stride if number == LAST_STRIDED_STAGE else stage.stride
        for i in range(stage.n_blocks):
            found.append(
                Block(
                    number, n_in, stage.n_out, stage.expand, stage.kernel, stride if i == 0 else 1
                )
            )
            n_in = stage.n_out
    return found
