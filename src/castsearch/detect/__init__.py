"""Stills in, boxes of faces and persons out."""
