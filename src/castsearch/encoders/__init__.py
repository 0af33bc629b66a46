"""Faces and bodies in, unit vectors out."""
