"""Evidence in, one ranking per cast member out."""
