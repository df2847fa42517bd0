"""How fast wsframes is, one file a question: `python -m benchmarks --help`.

Nothing is imported here, so that each measured process loads only what it measures.
"""
