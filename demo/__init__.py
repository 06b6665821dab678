"""A demo that needs no music: `python -m demo`."""
