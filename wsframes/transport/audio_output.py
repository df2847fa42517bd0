"""Sound out: the senders of all destinations, as one."""

from collections.abc import Iterator, Mapping

from wsframes.audio.dtmf import dtmf_tone
from wsframes.frames import DTMFFrame, MixerEnableFrame, MixerUpdateSettingsFrame
from wsframes.graph.context import RunContext
from wsframes.transport.base import Shared
from wsframes.transport.claims import Claim
from wsframes.transport.media_sender import MediaSender, MediaSink
from wsframes.transport.pacer import Interrupted
from wsframes.transport.params import WebsocketParams
from wsframes.transport.playout.background import background_of
from wsframes.transport.playout.marks import Marks
from wsframes.transport.playout.media_queue import MediaStatistics
from wsframes.transport.tasks.waiting import ClearGate

__all__ = ["AudioOutput"]


class AudioOutput:
    """Has a sender for each destination, from the first start on.

    Args:
        params: of the transport.
        gate: nothing is sent while it is shut.

    Attributes:
        is_enabled: whether audio is sent at all.
        senders: by destination; None is the default one.
    """

    __slots__ = ("_claim", "_gate", "_params", "is_enabled", "senders")

    def __init__(self, params: WebsocketParams, gate: ClearGate) -> None:
        self._params = params
        self.is_enabled = params.audio_out_enabled  # a model's own attributes are slow to ask for
        self._gate = gate
        mixers = params.audio_out_mixer
        each = mixers.values() if isinstance(mixers, Mapping) else (mixers,)
        self._claim = Claim(("audio_out_mixer", mixer) for mixer in each)
        self.senders: dict[str | None, MediaSender] = {}

    def begin(
        self, context: RunContext, transport: Shared, sink: MediaSink, sample_rate: int | None
    ) -> None:
        """Start to send, in the background of a run.

        Args:
            context: of the run.
            transport: whose reader can be asked to send what is due.
            sink: where chunks and frames go in their turn.
            sample_rate: Hz of what is sent; None: as the audio comes.

        Raises:
            UsageError: there is a mixer, and nothing says the rate; or another session has it.
        """
        self._claim.take()
        for destination in (None, *self._params.audio_out_destinations):
            sender = self.senders.get(destination)
            if sender is None:
                background = background_of(
                    self._params, destination, sample_rate, self._gate, sink.report
                )
                sender = MediaSender(
                    destination,
                    sink,
                    self._gate,
                    transport.shortcut,
                    self._params,
                    sample_rate,
                    background,
                    Marks(destination) if transport.wire.has_marks else None,
                    transport.wire.audio_sample_rate,
                )
                self.senders[destination] = sender
            sender.begin(context)

    def play_key(self, frame: DTMFFrame) -> str | None:
        """Let the tone of a key be the next audio; says why it cannot be heard, or None.

        For a peer whose serializer has no message for a key.

        Raises:
            ValueError: there is no such key.
        """
        if not self.is_enabled:
            return "audio_out_disabled"
        sender = self.senders.get(frame.transport_destination)
        if sender is None:
            return "unknown_destination"
        num_channels = self._params.audio_out_channels
        sender.play_next(lambda sample_rate: dtmf_tone(frame.button, sample_rate, num_channels))
        return None

    async def control(self, frame: MixerUpdateSettingsFrame | MixerEnableFrame) -> None:
        """Hand a control frame to the mixer of its destination, if there is one."""
        background = self.senders[frame.transport_destination].background
        if background is not None:
            await background.mixing.control(frame)

    def answered(self, mark: str) -> None:
        """The peer has played up to a mark."""
        for sender in self.senders.values():
            if sender.answered(mark):
                return

    def interrupt(self) -> Iterator[tuple[str | None, Interrupted]]:
        """Drop what is interruptible; gives what the peer has heard, by destination."""
        for destination, sender in self.senders.items():
            yield destination, sender.interrupt()

    def close(self, reason: str) -> None:
        """Drop everything."""
        for sender in self.senders.values():
            sender.close(reason)

    async def cleanup(self) -> None:
        """Stop the mixers: another session may have them."""
        try:
            for sender in self.senders.values():
                if sender.background is not None:
                    await sender.background.mixing.stop()
        finally:
            self._claim.give_back()

    def let_go(self) -> None:
        """Keep the statistics only; see `Node.let_go`."""
        for sender in self.senders.values():
            sender.let_go()

    def statistics(self) -> dict[str | None, MediaStatistics]:
        """What has become of audio and frames, by destination."""
        return {name: sender.statistics() for name, sender in self.senders.items()}
