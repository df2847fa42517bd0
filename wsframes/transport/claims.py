"""Things with a state of their own, which two sessions must not use at once."""

from collections.abc import Iterable

from wsframes.exceptions import UsageError

__all__ = ["Claim"]

_claimed: dict[int, object] = {}


class Claim:
    """The use of some objects by one session.

    Args:
        objects: by the parameter that they were given in; None is nobody's.
    """

    __slots__ = ("_held", "_objects")

    def __init__(self, objects: Iterable[tuple[str, object | None]]) -> None:
        self._objects = [(name, thing) for name, thing in objects if thing is not None]
        self._held = False

    def take(self) -> None:
        """From now on they are this session's.

        Raises:
            UsageError: another session has one of them.
        """
        if self._held:
            return
        for name, thing in self._objects:
            if id(thing) in _claimed:
                raise UsageError(
                    f"{name}: this {type(thing).__name__} is in use by another session. It has a "
                    "state, so each session needs one of its own: make it where you make the "
                    "params, for each websocket (WebsocketApp takes a function there)"
                )
        self._held = True
        _claimed.update((id(thing), thing) for _, thing in self._objects)

    def give_back(self) -> None:
        """The session is over."""
        if self._held:
            self._held = False
            for _, thing in self._objects:
                del _claimed[id(thing)]
