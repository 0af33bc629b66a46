"""Published methods that no preset uses, kept because they were measured against the default.

Each takes arrays and gives scores, so that ``benchmarks/parts.py`` can print its mAP beside that of
the default and its parts, and ``benchmarks/rank.py`` its time. On our labelled sets none of them
beats the default (``docs/results.md``, "What each part brings"):

- :mod:`~castsearch.ranking.alternatives.reciprocal`: k-reciprocal re-ranking
- :mod:`~castsearch.ranking.alternatives.expand`: query expansion by thresholds
- :mod:`~castsearch.ranking.alternatives.ppcc`: PPCC, propagation by competitive consensus

Nothing else in castsearch imports them.
"""
