"""The ways from evidence to an order, by name."""

from __future__ import annotations

from castsearch.ranking.by_clusters import BY_CLUSTERS
from castsearch.ranking.by_faces import BY_FACES
from castsearch.ranking.by_film import BY_FILM
from castsearch.ranking.order import Order

ORDERS: dict[str, Order] = {"face": BY_FACES, "clusters": BY_CLUSTERS, "film": BY_FILM}
