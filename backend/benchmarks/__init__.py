"""Side-by-side measurements of this backend: `make bench`, or `python -m benchmarks --help` in backend/.

README.md says how they are made and how a row or a contender is added.
"""
