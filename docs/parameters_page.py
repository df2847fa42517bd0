"""Makes `parameters.md`: of the fields of `WebsocketParams`, its docstrings, and tests by name.

What a parameter does stands in the docstring of its class, under "Attributes", with its unit first
where it has one (`name: Hz; what it does`). A deprecated one has no line there: it warns of what to
set instead.
"""

import ast
import inspect
import types
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from wsframes.transport import TransportParams, WebsocketParams

TESTS = Path(__file__).parents[1] / "tests" / "parameters"

UNITS = frozenset(
    "10 ms|Hz|bits/s|bytes|bytes/s|channels|images/s|messages|messages/s|ms|pixels|s".split("|")
)

_LAST_OF_PIPECAT = "session_timeout"

_HEAD = """\
# Parameters

Made from `WebsocketParams` by `make docs`; do not edit.

All are keywords. A name that is not here, a value of another type or out of its range is refused,
with an error that names it. Each is shown by a test of its name, `test_audio_in_enabled` and so on,
which looks from outside: at the messages on the wire and their times. What happens around them is
in [transport.md](transport.md).

## As in Pipecat

With the names, the order and the defaults of Pipecat's FastAPI websocket transport.

"""

_OURS = """
## Beyond it

"""

_COLUMNS = """\
| parameter | type | unit | default | what it does | shown by |
|---|---|---|---|---|---|
"""


class PageError(Exception):
    """A parameter is not described, or not shown."""


def parameters_page(params: type[WebsocketParams] = WebsocketParams) -> str:
    """The text of `parameters.md`.

    Raises:
        PageError: a parameter has no description, no test, or is a number without a unit.
    """
    told, shown = _descriptions(params), _tests()
    rows = [_row(params, name, told, shown) for name in params.model_fields]
    ours = list(params.model_fields).index(_LAST_OF_PIPECAT) + 1
    return "".join([_HEAD, _COLUMNS, *rows[:ours], _OURS, _COLUMNS, *rows[ours:]])


def _row(
    params: type[WebsocketParams],
    name: str,
    told: Mapping[str, str],
    shown: Mapping[str, Iterable[str]],
) -> str:
    field = params.model_fields[name]
    text = told.get(name) or _instead(params, name)
    if not text:
        raise PageError(f"{name}: the docstring of {params.__name__} does not say what it does")
    if name not in shown:
        raise PageError(f"{name}: there is no test_{name} in tests/parameters")
    unit, separator, rest = text.partition("; ")
    if unit not in UNITS:
        unit, rest = "", text
    kind = _kind(field.annotation, field.metadata)
    if not unit and name in told and kind.startswith(("int", "float")):
        raise PageError(f"{name}: its description does not begin with a unit and a semicolon")
    cells = (
        f"`{name}`",
        kind,
        unit,
        f"`{field.get_default(call_default_factory=True)!r}`",
        rest[0].upper() + rest[1:],
        ", ".join(f"[{file}](../tests/parameters/{file})" for file in shown[name]),
    )
    return "| " + " | ".join(cells) + " |\n"


def _descriptions(params: type[WebsocketParams]) -> dict[str, str]:
    """What the docstrings of the class and its bases say of each attribute."""
    told: dict[str, str] = {}
    for base in reversed(params.__mro__):
        if not issubclass(base, TransportParams):
            continue
        _, _, section = inspect.cleandoc(base.__doc__ or "").partition("\nAttributes:\n")
        name = ""
        for line in section.partition("\n\n")[0].splitlines():
            if line.startswith(" " * 8):
                told[name] += " " + line.strip()
            else:
                name, _, told[name] = line.strip().partition(": ")
    return told


def _instead(params: type[WebsocketParams], name: str) -> str:
    """For a deprecated parameter: what its warning says."""
    field = params.model_fields[name]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        params(**{name: field.get_default(call_default_factory=True)})
    return "".join(f"{warning.message}.".removeprefix(f"{name} is ") for warning in caught)


def _tests() -> dict[str, list[str]]:
    """For each parameter the files that have a test of its name."""
    shown: dict[str, list[str]] = {}
    for path in sorted(TESTS.glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                shown.setdefault(node.name.removeprefix("test_"), []).append(path.name)
    return shown


def _kind(annotation: Any, limits: Iterable[Any] = ()) -> str:
    """A type, as a reader wants it, with its range."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        fields = [each for each in arguments[1:] if isinstance(each, FieldInfo)]
        return _kind(arguments[0], [limit for field in fields for limit in field.metadata])
    if origin in (Union, types.UnionType):
        return " or ".join(_kind(each, limits) for each in arguments)
    if origin is Literal:
        return " or ".join(f'`"{value}"`' for value in arguments)
    if origin is list:
        return f"list of {_kind(arguments[0])}"
    if origin is not None:
        return f"mapping of ({_kind(arguments[0])}) to {_kind(arguments[1])}"
    if annotation in (int, float):
        return f"{annotation.__name__}{_range(limits)}"
    return "None" if annotation is types.NoneType else f"{annotation.__name__}"


def _range(limits: Iterable[Any]) -> str:
    at_least, at_most, above = (
        next((getattr(limit, key) for limit in limits if hasattr(limit, key)), None)
        for key in ("ge", "le", "gt")
    )
    if above is not None:
        return f" above {above}"
    return f" from {at_least}" + (f" to {at_most}" if at_most is not None else "")
