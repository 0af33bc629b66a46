"""Files of any known layout to movies, identities and upright pictures."""
