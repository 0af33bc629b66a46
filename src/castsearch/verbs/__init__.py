"""The public functions, one file per verb."""
