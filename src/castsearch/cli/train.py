"""``train``: teach a network to tell people apart."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

from cyclopts import Parameter

import castsearch
from castsearch.cli.options import AsJson, Quiet
from castsearch.cli.printing import print_json
from castsearch.training.budget import Budget
from castsearch.training.options import Options, Setup
from castsearch.training.recipes import Learning, recipe_of
from castsearch.training.train import DEFAULT_OUT


def _option(field: str) -> str:
    """Counts are called by what they count: `--validations` is ``n_validations``."""
    return field.removeprefix("n_").replace("_", "-")


# Each field of a dataclass is an option; the sentence below the field is the option's help.
_Fields = Parameter(name="*", name_transform=_option, negative_bool=(), negative_iterable=())
_Values = Parameter(name="*", negative_iterable=())


def _changes() -> Any:
    """The fields of a recipe as a dataclass in which none of them is given.

    As a child of the class that it changes it has the sentences of its fields.
    """
    fields = [(name, hint | None, None) for name, hint in get_type_hints(Learning).items()]
    # Without a module of its own the class would be taken for one of the standard library's.
    namespace = {"__module__": __name__}
    return dataclasses.make_dataclass(
        "Changes", fields, bases=(Learning,), frozen=True, kw_only=True, namespace=namespace
    )


if TYPE_CHECKING:
    Changes = Any
else:
    Changes = _changes()


def train(
    source: Path,
    /,
    *,
    out: Annotated[Path, Parameter(alias="-o")] = DEFAULT_OUT,
    recipe: str = "triplet",
    budget: Annotated[Budget | None, _Fields] = None,
    setup: Annotated[Setup | None, _Fields] = None,
    cache: Path | None = None,
    changes: Annotated[Changes | None, _Values] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Train and print what it came to.

    Args:
        source: Market-1501, folders per person (also in train/ and val/), or labelled movies.
        out: Folder of the run.
        recipe: Named way to train: `triplet`, `strong` or `finetune`.
        budget: How long it takes.
        setup: How it is done.
        cache: Folder of the decoded pictures, by default that of the run.
        changes: Values that replace the recipe's.
    """
    values = {} if changes is None else dataclasses.asdict(changes)
    options = Options(
        **dataclasses.asdict(setup or Setup()),
        recipe=recipe_of(recipe, **{k: v for k, v in values.items() if v is not None}),
        budget=budget or Budget(),
    )
    result = castsearch.train(
        source,
        out=out,
        options=options,
        cache=cache,
        progress="quiet" if quiet or as_json else "auto",
    )
    if not result.is_main:
        return 0
    document: dict[str, Any] = dataclasses.asdict(result) | {"out": str(result.out)}
    if as_json:
        print_json(document)
    elif not quiet:
        print(result)
    if result.collapsed:
        print("castsearch: the training has collapsed; see above.", file=sys.stderr)
    return 1 if result.skipped or result.collapsed else 0
