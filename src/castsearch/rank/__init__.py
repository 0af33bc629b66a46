"""Embeddings in, one complete ranking per cast member out."""
