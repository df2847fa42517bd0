"""Who is let in, in which order that is found out, and what the others are told."""

from collections.abc import Awaitable, Callable, Collection, Hashable

from starlette.websockets import WebSocket

from wsframes.transport.admission.authorization import Authorization
from wsframes.transport.admission.origin import origin_problem
from wsframes.transport.admission.places import Places
from wsframes.transport.admission.refusal import (
    DRAINING,
    FORBIDDEN,
    MAX_SESSIONS,
    MAX_SESSIONS_PER_KEY,
    NOT_AUTHORIZED,
    OVERLOAD,
    Refusal,
    Refusals,
)

__all__ = ["Door"]

Serve = Callable[[WebSocket], Awaitable[None]]


class Door:
    """Lets connections in, or refuses them.

    Args:
        allowed_origins: see `WebsocketApp`.
        authorization: asks the application.
        places: how many may be in.
        session_key: whose places a connection takes.
        refusals: tells those who are not let in.
        is_draining: whether nobody is let in any more.
        admits: whether the event loop has time for one more.
    """

    __slots__ = (
        "_admits", "_allowed_origins", "_authorization", "_is_draining", "_places", "_refusals",
        "_session_key",
    )  # fmt: skip

    def __init__(
        self,
        allowed_origins: Collection[str] | None,
        authorization: Authorization,
        places: Places,
        session_key: Callable[[WebSocket], Hashable],
        refusals: Refusals,
        *,
        is_draining: Callable[[], bool],
        admits: Callable[[], bool],
    ) -> None:
        self._allowed_origins = allowed_origins
        self._authorization = authorization
        self._places = places
        self._session_key = session_key
        self._refusals = refusals
        self._is_draining = is_draining
        self._admits = admits

    async def let_in(self, websocket: WebSocket, serve: Serve) -> None:
        """Serve a connection that may come in, which has its places until that is over.

        What costs least is asked first, and the application last: strangers come in any number.
        """
        if (refusal := self._refusal_of(websocket)) is not None:
            await self._refusals.refuse(websocket, refusal)
            return
        try:
            if await self._authorization.allows(websocket):
                await self._let_in_by_key(websocket, serve)
            else:
                await self._refusals.refuse(websocket, NOT_AUTHORIZED)
        finally:
            self._places.give()

    def _refusal_of(self, websocket: WebSocket) -> Refusal | None:
        """Why it is refused at once; None: it has taken a place."""
        if (problem := origin_problem(websocket, self._allowed_origins)) is not None:
            return Refusal("origin", FORBIDDEN, problem)
        if self._is_draining():
            return DRAINING
        if not self._admits():
            return OVERLOAD
        return None if self._places.take() else MAX_SESSIONS

    async def _let_in_by_key(self, websocket: WebSocket, serve: Serve) -> None:
        # Not before it is authorized: or strangers could take the places of another one's key.
        key = None
        try:
            if self._places.are_counted_by_key:
                key = self._session_key(websocket)
                hash(key)
        except Exception as exc:
            await self._refusals.fail(websocket, exc)
            return
        if not self._places.take_for(key):
            await self._refusals.refuse(websocket, MAX_SESSIONS_PER_KEY)
            return
        try:
            await serve(websocket)
        finally:
            self._places.give_for(key)
