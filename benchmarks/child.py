"""One measurement in a process of its own: `python -m benchmarks.child MODULE FUNCTION JSON`.

Loads nothing but what it measures; prints the measurement as the last line.
"""

import importlib
import json
import sys
from dataclasses import asdict


def main() -> None:
    module, function, arguments = sys.argv[1:]
    measure = getattr(importlib.import_module(module), function)
    print(json.dumps(asdict(measure(**json.loads(arguments)))))


if __name__ == "__main__":
    main()
