"""docs/servers.md says of each server what the matrix holds, and of no other."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.servers.matrix import SERVERS, Server

PAGE = (Path(__file__).parents[2] / "docs" / "servers.md").read_text()


def line(server: Server) -> str:
    """The line of the table that tells what a server does."""
    cells = (
        server.package,
        f"`{' '.join(server.options)}`",
        "as sent" if server.peer_code is None else f"always {server.peer_code}",
        str(server.lost_code),
        "yes" if server.cancels_send else "**no**",
        f"{server.shutdown_code}, `{server.shutdown_reason}`",
        str(server.exit_code if server.exit_code >= 0 else 128 - server.exit_code),
    )
    return f"| {' | '.join(cells)} |"


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text))


def test_the_table_is_the_matrix() -> None:
    rows = [row for row in PAGE.splitlines() if row.startswith("|") and "`--w" in row]
    assert rows == [line(server) for server in SERVERS]


@pytest.mark.parametrize(
    "package", ["uvicorn", "hypercorn", "anycorn", "websockets", "wsproto", "uvloop"]
)
def test_what_runs_here_is_not_older_than_what_the_page_asks_for(package: str) -> None:
    row = re.search(rf"^\| {package} \| (\S+) \| (\S+) \|", PAGE, re.MULTILINE)
    assert row is not None
    oldest, tested = numbers(row[1]), numbers(row[2])
    assert oldest <= tested
    assert oldest <= numbers(version(package))
