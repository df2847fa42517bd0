"""Writes the pages that are made from the code: `python -m docs.generate`, or `make docs`.

A test compares what is committed with what this makes.
"""

from collections.abc import Callable
from pathlib import Path

import wsframes.frames
from docs.parameters_page import parameters_page
from docs.performance_page import performance_page
from wsframes.frames import Frame

HERE = Path(__file__).parent

_FRAMES_HEAD = """\
# Frames

Made from the types by `make docs`; do not edit.

How a frame is delivered is a fact of its type. **Lane**: *system* frames overtake and are handled
beside the *ordered* ones, which keep their order. **Interruption**: whether a frame that waits, or
is being processed, survives one. **Moved by**: the *graph* moves lifecycle frames past every
processor by itself; all others move as far as processors *push* them. **Full lane**: whether
`await push_frame` waits while the receiver is full.

Your own frame is a subclass of one line, and is delivered as its base is:

```python
class ScoreFrame(DataFrame):
    score: float
```

Add `UninterruptibleFrame` as a second base to let it survive interruptions. All frames also have
`id`, `pts`, `metadata`, `transport_source` and `transport_destination`, by keyword.

| frame | fields | lane | interruption | moved by | full lane |
|---|---|---|---|---|---|
"""


def frame_types() -> list[type[Frame]]:
    """All public frames that are not just a base of others, by module and name."""
    types = [
        value
        for name in wsframes.frames.__all__
        if isinstance(value := getattr(wsframes.frames, name), type)
        and issubclass(value, Frame)
        and not _is_base(value)
    ]
    return sorted(types, key=lambda frame_type: (frame_type.__module__, frame_type.__name__))


def frames_page() -> str:
    """The text of `frames.md`."""
    return _FRAMES_HEAD + "".join(_row(frame_type) for frame_type in frame_types())


def _is_base(frame_type: type[Frame]) -> bool:
    # AudioRawFrame and its like have no place in a lane: only what is input or output has.
    return frame_type.__module__ == "wsframes.frames.base" or (
        Frame in frame_type.__bases__ and len(frame_type.__bases__) == 1
    )


def _row(frame_type: type[Frame]) -> str:
    own = [name for name in frame_type.__struct_fields__ if name not in Frame.__struct_fields__]
    ordered = frame_type.lane is wsframes.frames.Lane.ORDERED
    cells = (
        f"`{frame_type.__name__}`",
        ", ".join(f"`{name}`" for name in own),
        frame_type.lane.value,
        "survives" if frame_type.uninterruptible else "is dropped",
        "graph" if frame_type.lifecycle else "push",
        "waits" if ordered or frame_type.input_media else "",
    )
    return "| " + " | ".join(cells) + " |\n"


PAGES: dict[str, Callable[[], str]] = {
    "frames.md": frames_page,
    "parameters.md": parameters_page,
    "performance.md": performance_page,
}


def main() -> None:
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
