"""Networks and their training; needs the extra castsearch[train] (torch)."""
