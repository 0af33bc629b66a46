"""What a run stands on: its folder, cores, progress, files that are there whole."""
