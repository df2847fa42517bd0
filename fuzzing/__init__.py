"""Coverage-guided fuzzing of what peers can reach: `make fuzz`.

What it finds goes to `build/fuzzing/finds`. Once it is mended, it belongs into the file of its
target in `fuzzing/corpus`, a line of hexadecimal digits each: the tests of promise P15 read them.
The other lines there are what has led the fuzzer to new branches, so that it begins where it ended.
"""
