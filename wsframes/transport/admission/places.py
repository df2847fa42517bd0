"""How many sessions there may be at once, in all and for each key. Plain counting."""

from collections import Counter
from collections.abc import Hashable

__all__ = ["Places"]


class Places:
    """Places are taken before the first wait of a connection, so that the next one sees it.

    Args:
        most: in all; None: any number.
        most_per_key: for each key; None: any number.
    """

    __slots__ = ("_by_key", "_most", "_most_per_key", "_taken")

    def __init__(self, most: int | None, most_per_key: int | None) -> None:
        self._most = most
        self._most_per_key = most_per_key
        self._taken = 0
        self._by_key: Counter[Hashable] = Counter()

    @property
    def are_counted_by_key(self) -> bool:
        return self._most_per_key is not None

    def take(self) -> bool:
        """Take a place, if there is one."""
        if self._most is not None and self._taken >= self._most:
            return False
        self._taken += 1
        return True

    def give(self) -> None:
        """Give it back."""
        self._taken -= 1

    def take_for(self, key: Hashable) -> bool:
        """Take one of the places of a key, if there is one. None has any number of them."""
        if key is None or self._most_per_key is None:
            return True
        if self._by_key[key] >= self._most_per_key:
            return False
        self._by_key[key] += 1
        return True

    def give_for(self, key: Hashable) -> None:
        """Give it back."""
        if key in self._by_key:
            self._by_key[key] -= 1
            if not self._by_key[key]:  # peers choose keys: none is to be kept for them
                del self._by_key[key]
