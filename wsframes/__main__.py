"""The command line: `python -m wsframes`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from wsframes.demo.clip import PHRASES
from wsframes.demo.command import SERVERS, run
from wsframes.exceptions import UsageError, WsframesError

__all__ = ["main"]

_NAME = "python -m wsframes"
_WRONG = 1
_BAD_INPUT = 2
_INTERRUPTED = 130


class _BadInput(Exception):
    """What is wrong with the command line, in one line that says what would be right."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _BadInput(f"{message}; see {self.prog} --help")


def main(args: Sequence[str] | None = None) -> int:
    """Run a command; gives the exit code.

    0: done. 1: something was not as it should be. 2: the command was not, or cannot be run here.
    Then standard error has one line that says what and why.
    """
    try:
        return _run(args)
    except (_BadInput, UsageError) as exc:
        return _complain(exc, _BAD_INPUT)
    except WsframesError as exc:
        return _complain(exc, _WRONG)
    except KeyboardInterrupt:
        return _complain("interrupted", _INTERRUPTED)


def _run(args: Sequence[str] | None) -> int:
    parser = _Parser(
        prog=_NAME,
        description="Frames through a graph of processors, and a websocket at its ends.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    demo = _add_demo(commands)
    options, unknown = parser.parse_known_args(args)
    if options.command == "demo":
        if unknown:
            demo.error(f"{unknown[0]!r} is none of --backend, --out and --phrases")
        run(options.backend, options.out, options.phrases)
    elif unknown:
        parser.error(f"{unknown[0]!r} is no command; the only one is 'demo'")
    else:
        parser.print_help()
    return 0


def _add_demo(commands: "argparse._SubParsersAction[_Parser]") -> _Parser:
    about = "A real session: a server, a client that speaks, and a pipeline that says it back."
    demo = commands.add_parser(
        "demo", help="a real session, seen and heard", description=about, allow_abbrev=False
    )
    demo.add_argument(
        "--backend",
        type=_backend,
        default="asyncio",
        help=" or ".join(f"{backend} ({server})" for backend, server in SERVERS.items())
        + "; the first, if not given",
    )
    demo.add_argument(
        "--out",
        type=Path,
        default=Path("demo-output"),
        metavar="DIR",
        help="where answer.wav and session.png go; demo-output, if not given",
    )
    demo.add_argument(
        "--phrases",
        type=_phrases,
        default=len(PHRASES),
        metavar="N",
        help=f"how many to say, 1 to {len(PHRASES)}; all, if not given",
    )
    return demo


def _backend(text: str) -> str:
    if text not in SERVERS:
        raise argparse.ArgumentTypeError(f"{text!r} is no backend; {' or '.join(SERVERS)} is")
    return text


def _phrases(text: str) -> int:
    if text not in map(str, range(1, len(PHRASES) + 1)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {len(PHRASES)}")
    return int(text)


def _complain(what: object, code: int) -> int:
    # One line, whatever was typed.
    print("wsframes:", " ".join(str(what).split()), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
