"""What one destination is to show.

A plain data structure: no waiting, no clock. It holds at most one picture that has not been shown,
and one that has: an image, or a sprite, which is several in turn. Whatever the speed of the peer,
the latest one wins.
"""

from collections import Counter
from typing import TypeAlias

import msgspec

from wsframes.frames import OutputImageRawFrame, SpriteFrame

__all__ = ["OVER_BITRATE", "Picture", "VideoSlot", "VideoStatistics"]

Picture: TypeAlias = OutputImageRawFrame | SpriteFrame

OVER_BITRATE = "over_bitrate"
"""The one reason for which an image is not sent and may be sent later."""


class VideoStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of the pictures: taken = sent + dropped + queued.

    Attributes:
        taken: frames, a sprite as one.
        sent: of those, which have been shown, once at least.
        dropped: by reason.
        queued: that wait for their moment, or are being sent for the first time.
        images: that the server took, repetitions included, or the serializer had no message for.
        missed: moments at which the rate asked for an image and none was sent: the peer or the
            encoder was slow, or the bitrate had no room.
    """

    taken: int
    sent: int
    dropped: dict[str, int]
    queued: int
    images: int
    missed: int


class VideoSlot:
    """The picture that is shown, and the one that is next.

    Args:
        is_live: each image is shown once; else again and again.
    """

    __slots__ = (
        "_at_work",
        "_dropped",
        "_given_up",
        "_images",
        "_is_live",
        "_missed",
        "_next",
        "_position",
        "_sent",
        "_showing",
        "_taken",
    )

    def __init__(self, is_live: bool) -> None:
        self._is_live = is_live
        self._next: Picture | None = None
        self._showing: Picture | None = None
        self._position = 0  # in the sprite that is shown
        self._at_work: Picture | None = None  # being shown for the first time
        self._given_up: str | None = None
        self._taken = 0
        self._sent = 0
        self._images = 0
        self._missed = 0
        self._dropped: Counter[str] = Counter()

    def put(self, picture: Picture) -> None:
        """Let this be the next picture."""
        self._taken += 1
        if self._next is not None:
            self._dropped["superseded"] += 1
        self._next = picture

    @property
    def first(self) -> OutputImageRawFrame | None:
        """The image whose moment comes next, left in its place."""
        if self._next is not None:
            return _image_of(self._next, 0)
        return None if self._showing is None else _image_of(self._showing, self._position)

    @property
    def is_settled(self) -> bool:
        """Whether all that was put has been shown, as far as it ever is."""
        is_over = self._showing is None or not self._is_live
        return self._next is None and self._at_work is None and is_over

    @property
    def given_up(self) -> str | None:
        """Why what was taken is not to be sent any more, or None if it is."""
        return self._given_up

    def take(self) -> OutputImageRawFrame:
        """Take the first image; say `done` when it has been dealt with."""
        image = self.first
        assert image is not None
        if self._next is not None:
            self._at_work = self._showing = self._next
            self._next = None
            self._position = 0
        self._given_up = None
        return image

    def done(self, dropped: str | None, *, is_last_try: bool = False) -> Picture | None:
        """Count what was taken, as sent or as dropped for this reason.

        Args:
            dropped: the reason.
            is_last_try: an image for which the bitrate had no room does not wait for room.

        Returns:
            The picture, if that has been shown for the first time.
        """
        picture, self._at_work = self._at_work, None
        if dropped is None:
            self._images += 1
            self._turn()
            self._sent += picture is not None
            return picture
        if dropped == OVER_BITRATE:
            self._missed += 1
            if not self._is_live and not is_last_try:
                self._keep(picture)
                return None
        self._showing = None
        if picture is not None:
            self._dropped[dropped] += 1
        return None

    def missed(self, moments: int) -> None:
        """Count moments that have passed without an image."""
        self._missed += moments

    def interrupt(self) -> None:
        """Live: drop what is interruptible. Else the picture is a state, not part of a speech."""
        if not self._is_live:
            return
        if self._next is not None and not self._next.uninterruptible:
            self._drop_next("interrupted")
        if self._showing is not None and not self._showing.uninterruptible:
            self._stop("interrupted")

    def clear(self, reason: str) -> None:
        """Show nothing any more."""
        if self._next is not None:
            self._drop_next(reason)
        self._stop(reason)

    def statistics(self) -> VideoStatistics:
        dropped = dict(self._dropped)
        return VideoStatistics(
            taken=self._taken,
            sent=self._sent,
            dropped=dropped,
            queued=self._taken - self._sent - sum(dropped.values()),
            images=self._images,
            missed=self._missed,
        )

    def _drop_next(self, reason: str) -> None:
        self._dropped[reason] += 1
        self._next = None

    def _stop(self, reason: str) -> None:
        self._showing = None
        self._given_up = reason

    def _turn(self) -> None:
        self._position += 1
        showing = self._showing
        if self._is_live:
            count = len(showing.images) if isinstance(showing, SpriteFrame) else 1
            if self._position >= count:
                self._showing = None

    def _keep(self, picture: Picture | None) -> None:
        """It has not been shown yet: try it again, unless there is a newer one."""
        if picture is not None:
            if self._next is None:
                self._next = picture
            else:
                self._dropped["superseded"] += 1


def _image_of(picture: Picture, position: int) -> OutputImageRawFrame:
    if not isinstance(picture, SpriteFrame):
        return picture
    return picture.images[position % len(picture.images)]
