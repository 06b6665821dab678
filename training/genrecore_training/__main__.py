"""``python -m genrecore_training``: the same as ``genrecore-train``."""

from genrecore_training.cli import main

if __name__ == "__main__":
    main()
