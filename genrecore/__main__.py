"""``python -m genrecore``: the same as the command ``genrecore``."""

from genrecore.cli import main

if __name__ == "__main__":
    main()
