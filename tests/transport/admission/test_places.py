"""`wsframes.transport.admission.places`."""

from hypothesis import given
from hypothesis import strategies as st

from wsframes.transport.admission.places import Places


def test_without_limits_there_is_always_a_place() -> None:
    places = Places(None, None)
    assert not places.are_counted_by_key
    assert all(places.take() and places.take_for("a") for _ in range(1000))
    places.give()
    places.give_for("a")


def test_in_all() -> None:
    places = Places(2, None)
    assert [places.take() for _ in range(3)] == [True, True, False]
    places.give()
    assert [places.take() for _ in range(2)] == [True, False]


def test_for_each_key() -> None:
    places = Places(None, 1)
    assert places.are_counted_by_key
    assert [places.take_for(key) for key in "aba"] == [True, True, False]
    places.give_for("a")
    assert [places.take_for(key) for key in "ab"] == [True, False]
    assert all(places.take_for(None) for _ in range(10))
    places.give_for(None)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abc")), max_size=60))
def test_a_key_that_nobody_has_is_forgotten(steps: list[tuple[bool, str]]) -> None:
    """Property: the counts are those of a plain list, and nothing is kept of what has left."""
    places = Places(None, 2)
    inside: list[str] = []
    for comes, key in steps:
        if comes:
            assert places.take_for(key) is (inside.count(key) < 2)
            if inside.count(key) < 2:
                inside.append(key)
        elif key in inside:
            inside.remove(key)
            places.give_for(key)
        assert dict(places._by_key) == {key: inside.count(key) for key in inside}
