"""Crops in, vectors out."""
