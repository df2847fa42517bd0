"""`wsframes.transport.session`: the table of a connection."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsframes.transport.session import (
    TRANSITIONS,
    Connection,
    ConnectionEvent,
    ConnectionState,
)

S = ConnectionState
E = ConnectionEvent

FINAL = {S.CLOSED, S.GONE}


def after(*events: E, state: S = S.CONNECTING) -> Connection:
    connection = Connection(state)
    for event in events:
        if event in (E.LOST, E.GIVE_UP):
            connection.without_peer(event, 4000, "bye")
        elif event is E.CLOSE:
            connection.close(1000, "done")
        else:
            connection.on(event)
    return connection


@pytest.mark.parametrize(
    ("events", "state", "code"),
    [
        ([], S.CONNECTING, None),
        ([E.ACCEPTED], S.OPEN, None),
        ([E.LOST], S.GONE, 4000),
        ([E.CLOSE], S.CLOSING, 1000),
        ([E.ACCEPTED, E.CLOSE, E.CLOSE_DONE], S.CLOSED, 1000),
        ([E.ACCEPTED, E.CLOSE, E.LOST], S.CLOSED, 1000),
        ([E.ACCEPTED, E.LOST], S.GONE, 4000),
        ([E.ACCEPTED, E.SEND_FAILED], S.FAILING, None),
        ([E.ACCEPTED, E.SEND_FAILED, E.LOST], S.GONE, 4000),
        ([E.ACCEPTED, E.SEND_FAILED, E.GIVE_UP], S.GIVEN_UP, 4000),
        ([E.ACCEPTED, E.SEND_FAILED, E.CLOSE], S.CLOSING, 1000),
        ([E.ACCEPTED, E.GIVE_UP], S.GIVEN_UP, 4000),
        ([E.ACCEPTED, E.GIVE_UP, E.LOST], S.GONE, 4000),
        ([E.ACCEPTED, E.GIVE_UP, E.CLOSE, E.CLOSE_DONE], S.CLOSED, 4000),
    ],
)
def test_a_life(events: list[E], state: S, code: int | None) -> None:
    connection = after(*events)
    assert connection.state is state
    assert connection.close_code == code


def test_what_is_not_in_the_table_changes_nothing() -> None:
    for state in S:
        for event in E:
            connection = Connection(state)
            changed = connection.on(event)
            assert changed is ((state, event) in TRANSITIONS)
            assert connection.state is TRANSITIONS.get((state, event), state)


def test_a_final_state_is_left_by_nothing_and_every_other_one_leads_to_one() -> None:
    assert {state for state, _ in TRANSITIONS} == set(S) - FINAL
    leads = set(FINAL)
    while more := {s for (s, _), to in TRANSITIONS.items() if to in leads} - leads:
        leads |= more
    assert leads == set(S)


@given(st.sampled_from([S.CONNECTING, S.OPEN]), st.lists(st.sampled_from(E), max_size=12))
def test_the_peer_s_doing_is_told_once_and_never_after_a_close_of_ours(
    first: S, events: list[E]
) -> None:
    """`without_peer` is true at most once, and never after `close` was; the code stays."""
    connection = Connection(first)
    told: list[str] = []
    codes: list[int | None] = []
    for event in events:
        if event in (E.LOST, E.GIVE_UP):
            if connection.without_peer(event, 4000 + len(codes), "bye"):
                told.append("peer")
        elif event is E.CLOSE:
            if connection.close(1000, "done"):
                told.append("us")
        else:
            connection.on(event)
        codes.append(connection.close_code)
    assert told in ([], ["peer"], ["us"], ["peer", "us"])
    assert len({code for code in codes if code is not None}) <= 1
    over = connection.state in (S.CLOSING, S.CLOSED, S.GONE, S.GIVEN_UP)
    assert (connection.close_code is not None) is over
    assert bool(told) is over


def test_closing_after_the_peer_was_given_up_keeps_its_code_and_reason() -> None:
    connection = after(E.GIVE_UP, state=S.OPEN)
    assert connection.close(1011, "ours")
    assert (connection.close_code, connection.close_reason) == (4000, "bye")
    connection = after(state=S.OPEN)
    assert connection.close(1011, "ours")
    assert (connection.close_code, connection.close_reason) == (1011, "ours")
    assert not connection.close(1000, "again")
