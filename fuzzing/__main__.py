"""Fuzz one target: `python -m fuzzing TARGET [options of libFuzzer]`."""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["wsframes"]):
    from fuzzing.targets import TARGETS, check, corpus, seeds


def main() -> None:
    name, *options = sys.argv[1:]
    if name not in TARGETS:
        raise SystemExit(f"fuzzing: there is no target {name!r}; there are {', '.join(TARGETS)}")
    found, finds = Path("build", "fuzzing", name), Path("build", "fuzzing", "finds")
    for directory in (found, finds):
        directory.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate((*seeds(name), *corpus(name))):
        (found / f"seed-{number}").write_bytes(seed)
    serializer = TARGETS[name]()
    arguments = [
        *(sys.argv[0], f"-artifact_prefix={finds}/{name}-", "-timeout=5", "-max_len=4096"),
        *(*options, str(found)),
    ]
    atheris.Setup(arguments, lambda data: check(serializer, data) and None)
    atheris.Fuzz()


main()
