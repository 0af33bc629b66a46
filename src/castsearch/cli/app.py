"""The application: the table of all commands, each of them imported when it is asked for."""

from __future__ import annotations

from cyclopts import App

import castsearch

COMMANDS = {
    "rank": """Rank all candidates of every movie in SOURCE for each of its cast.

Writes run.sqlite, ranking.csv, scores.csv, run.json and report/index.html.""",
    "demo": "Compose a small movie from public-domain photographs, rank it, and show the report.",
    "evaluate": "Score RANKING against TRUTH: mAP, rank-1/5/10, per movie and per query.",
    "rerank": "Let the casts of each movie compete for the candidates of RANKING.",
    "ablate": """Compare presets on the labelled movies of every SOURCE: mAP and its differences.

Writes ablation.csv, queries.csv, ablation.md, chart.svg and index.html.""",
    "embed": "Write a unit vector for every person crop in SOURCE.",
    "train": """Train a person re-identification network on the people in SOURCE.

Writes last.pt, best.pt (by validation mAP), log.jsonl, tensorboard/ and curves.png. The same
command goes on with a run that was broken off; `accelerate launch` runs it on many GPUs.""",
    "presets": "List the named pipelines and their settings.",
    "models": """List the models: file, sha256, origin, licence, input, and whether they are here.

`castsearch models export` writes a trained network as ONNX and adds it to the table.""",
    "forget": "Delete every face, vector and thumbnail kept of the pictures in SOURCE.",
}
"""What each verb does; its command is the function or the app of its name in the file of its name.

The texts stand here so that `castsearch --help` imports none of the files.
"""


def _version() -> str:
    return castsearch.__version__


# The list of commands is plain text: Markdown takes a third longer to import. Help on one command
# is Markdown, which joins the lines of its docstring.
app = App(
    name="castsearch",
    help="Find who is who in films: rank every person crop for each cast member's portrait.",
    help_format="plaintext",
    version=_version,
)
for _verb, _text in COMMANDS.items():
    # An app with commands of its own brings its format.
    _format = {} if _verb == "models" else {"help_format": "markdown"}
    app.command(f"castsearch.cli.{_verb}:{_verb}", name=_verb, help=_text, **_format)
