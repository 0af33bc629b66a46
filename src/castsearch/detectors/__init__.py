"""Pictures in, boxes of faces out."""
