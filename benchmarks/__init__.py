"""Speed and memory: `python -m benchmarks`, and the tables made from its results."""
