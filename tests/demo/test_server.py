from wsframes.demo.command import SERVERS
from wsframes.demo.server import BACKENDS


def test_there_is_a_server_for_each_backend_that_can_be_asked_for() -> None:
    assert BACKENDS.keys() == SERVERS.keys()
