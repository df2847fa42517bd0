"""Who speaks: what voice activity detection and play-out have found."""

from wsframes.frames.base import SystemFrame

__all__ = [
    "BotSpeakingFrame",
    "BotStartedSpeakingFrame",
    "BotStoppedSpeakingFrame",
    "UserStartedSpeakingFrame",
    "UserStoppedSpeakingFrame",
    "VADUserStartedSpeakingFrame",
    "VADUserStoppedSpeakingFrame",
]


class UserStartedSpeakingFrame(SystemFrame):
    """The user's turn has begun."""


class UserStoppedSpeakingFrame(SystemFrame):
    """The user's turn is over."""


class VADUserStartedSpeakingFrame(SystemFrame):
    """Voice was detected."""


class VADUserStoppedSpeakingFrame(SystemFrame):
    """Voice is no longer detected."""


class BotStartedSpeakingFrame(SystemFrame):
    """The first audio of an utterance has gone out."""


class BotSpeakingFrame(SystemFrame):
    """The bot is being heard; repeated while it lasts."""


class BotStoppedSpeakingFrame(SystemFrame):
    """The last audio of an utterance has been played."""
