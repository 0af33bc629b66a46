"""Networks, their weights and their training; needs the extra ``castsearch[train]`` (torch)."""
