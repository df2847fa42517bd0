"""`wsframes.transport.params`: every parameter of the seed page, and ours."""

import warnings
from typing import Any

import anyio
import pytest
from pydantic import ValidationError

from tests.vad.parts import Loud
from wsframes.audio import BaseAudioFilter, BaseAudioMixer
from wsframes.serializers import FrameSerializer, JsonFrameSerializer, MsgpackFrameSerializer
from wsframes.transport import TransportParams, WebsocketCallbacks, WebsocketParams
from wsframes.turn import SilenceTurnAnalyzer

# Name, type and default as on the seed page.
SEED: dict[str, tuple[str, Any]] = {
    "camera_in_enabled": ("bool", False),
    "camera_out_enabled": ("bool", False),
    "camera_out_is_live": ("bool", False),
    "camera_out_width": ("int", 1024),
    "camera_out_height": ("int", 768),
    "camera_out_bitrate": ("int", 800000),
    "camera_out_framerate": ("int", 30),
    "camera_out_color_format": ("str", "RGB"),
    "audio_out_enabled": ("bool", False),
    "audio_out_sample_rate": ("int | None", None),
    "audio_out_channels": ("int", 1),
    "audio_out_bitrate": ("int", 96000),
    "audio_out_10ms_chunks": ("int", 4),
    "audio_out_mixer": ("BaseAudioMixer | Mapping | None", None),
    "audio_out_destinations": ("list[str]", []),
    "audio_in_enabled": ("bool", False),
    "audio_in_sample_rate": ("int | None", None),
    "audio_in_channels": ("int", 1),
    "audio_in_filter": ("BaseAudioFilter | None", None),
    "audio_in_stream_on_start": ("bool", True),
    "audio_in_passthrough": ("bool", True),
    "video_in_enabled": ("bool", False),
    "video_out_enabled": ("bool", False),
    "video_out_is_live": ("bool", False),
    "video_out_width": ("int", 1024),
    "video_out_height": ("int", 768),
    "video_out_bitrate": ("int", 800000),
    "video_out_framerate": ("int", 30),
    "video_out_color_format": ("str", "RGB"),
    "video_out_destinations": ("list[str]", []),
    "vad_enabled": ("bool", False),
    "vad_audio_passthrough": ("bool", False),
    "vad_analyzer": ("VADAnalyzer | None", None),
    "turn_analyzer": ("BaseTurnAnalyzer | None", None),
    "add_wav_header": ("bool", False),
    "serializer": ("FrameSerializer | None", None),
    "session_timeout": ("int | None", None),
}

CAMERA = [name for name in SEED if name.startswith("camera_")]
DEPRECATED = [*CAMERA, "vad_enabled", "vad_audio_passthrough"]

GOOD = {"bool": True, "int": 20, "int | None": 16000, "str": "RGB", "list[str]": ["a", "b"]}
WRONG: dict[str, list[Any]] = {
    "BaseAudioFilter | None": [BaseAudioFilter, "denoise", Loud()],
    "VADAnalyzer | None": [Loud, "silero", SilenceTurnAnalyzer()],
    "BaseTurnAnalyzer | None": [SilenceTurnAnalyzer, "smart", Loud()],
    "bool": ["perhaps", 2, None],
    "int": [0, -1, 1.5, "many", None],
    "int | None": [0, -1, 1.5, "many"],
    "str": [1, None, "rgb", "P", ""],
    "list[str]": ["a", [1], None, ["a", "a"], [""]],
    "FrameSerializer | None": [JsonFrameSerializer, "json", 1],
}


def quietly(**params: Any) -> WebsocketParams:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return WebsocketParams(**params)


def test_the_seed_page_has_37() -> None:
    assert len(SEED) == 37


@pytest.mark.parametrize("name", SEED)
def test_the_defaults_are_the_seed_page_s(name: str) -> None:
    default = getattr(WebsocketParams(), name)
    assert default == SEED[name][1]
    assert type(default) is type(SEED[name][1])


def test_defaults_that_can_be_changed_are_not_shared() -> None:
    WebsocketParams().audio_out_destinations.append("a")
    assert WebsocketParams().audio_out_destinations == []


def test_all_but_the_last_three_are_those_of_any_transport() -> None:
    own = set(SEED) - {"add_wav_header", "serializer", "session_timeout"}
    assert set(TransportParams.model_fields) == own
    assert issubclass(WebsocketParams, TransportParams)


def test_positional_arguments_are_refused() -> None:
    with pytest.raises(TypeError):
        WebsocketParams(True)  # type: ignore[call-arg]


@pytest.mark.parametrize("name", ["audio_out_enable", "vad", "camera_out", "camera_x", ""])
def test_an_unknown_name_is_refused_and_named(name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        quietly(**{name: True})
    assert [error["loc"] for error in refused.value.errors()] == [(name,)]
    assert "Extra inputs are not permitted" in str(refused.value)


@pytest.mark.parametrize("name", [name for name in SEED if SEED[name][0] in GOOD])
def test_a_good_value_is_taken(name: str) -> None:
    good = {"session_timeout": 60, "audio_out_channels": 2, "audio_in_channels": 2}.get(
        name, GOOD[SEED[name][0]]
    )
    assert getattr(quietly(**{name: good}), name) == good


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name in SEED if SEED[name][0] in WRONG for value in WRONG[SEED[name][0]]],
)
def test_a_wrong_value_is_refused_and_named(name: str, value: Any) -> None:
    if name == "session_timeout" and value == 1.5:
        assert quietly(session_timeout=1.5).session_timeout == 1.5
        return
    with pytest.raises(ValidationError) as refused:
        quietly(**{name: value})
    assert {error["loc"][0] for error in refused.value.errors()} == {name}
    assert name in str(refused.value)


@pytest.mark.parametrize(
    ("name", "below", "above"),
    [
        ("audio_in_sample_rate", 7999, 192001),
        ("audio_out_sample_rate", 7999, 192001),
        ("audio_in_channels", 0, 9),
        ("audio_out_channels", 0, 9),
        ("audio_out_10ms_chunks", 0, 201),
        ("video_out_width", 0, 8193),
        ("video_out_height", 0, 8193),
        ("video_out_framerate", 0, 241),
        ("camera_out_width", 0, 8193),
        ("camera_out_height", 0, 8193),
        ("camera_out_framerate", 0, 241),
    ],
)
def test_the_bounds(name: str, below: int, above: int) -> None:
    for value in (below + 1, above - 1):
        assert getattr(quietly(**{name: value}), name) == value
    for value in (below, above):
        with pytest.raises(ValidationError, match=name):
            quietly(**{name: value})


# --- deprecated


@pytest.mark.parametrize("name", DEPRECATED)
def test_a_deprecated_name_warns_once_at_the_line_that_sets_it(name: str) -> None:
    with pytest.warns(DeprecationWarning, match=name) as warned:
        WebsocketParams(**{name: SEED[name][1]})  # the line
    (warning,) = warned
    assert f"{name} is deprecated: set " in str(warning.message)
    assert warning.filename == __file__
    with open(__file__, encoding="utf-8") as file:
        assert file.read().splitlines()[warning.lineno - 1].endswith("# the line")


def test_and_where_the_parameters_are_validated_from_a_dict() -> None:
    with pytest.warns(DeprecationWarning, match="vad_enabled") as warned:
        WebsocketParams.model_validate({"vad_enabled": True})
    assert [warning.filename for warning in warned] == [__file__]


@pytest.mark.parametrize("name", CAMERA)
def test_camera_sets_video(name: str) -> None:
    video = name.replace("camera_", "video_")
    with pytest.warns(DeprecationWarning, match=f"{name} is deprecated: set {video} instead"):
        params = WebsocketParams(**{name: SEED[name][1]})
    assert getattr(params, video) == SEED[name][1]
    assert quietly(**{name: SEED[name][1], video: SEED[video][1]}) == params


def test_camera_in_turns_video_in_on() -> None:
    assert quietly(camera_in_enabled=True).video_in_enabled
    assert quietly(camera_in_enabled="yes").video_in_enabled
    assert not quietly(camera_in_enabled="no").video_in_enabled
    assert quietly(camera_in_enabled="yes", video_in_enabled=True).video_in_enabled


def test_two_names_for_one_thing_must_agree() -> None:
    with pytest.raises(
        ValidationError, match="camera_in_enabled and video_in_enabled are set to different values"
    ):
        quietly(camera_in_enabled=True, video_in_enabled=False)


def test_vad_enabled_turns_audio_in_on() -> None:
    assert quietly(vad_enabled=True).audio_in_enabled
    assert quietly(vad_enabled="yes", audio_in_enabled=False).audio_in_enabled
    assert not quietly(vad_enabled=False).audio_in_enabled
    assert not quietly(vad_enabled="no").audio_in_enabled
    assert quietly(vad_enabled=False, audio_in_enabled=True).audio_in_enabled


def test_vad_audio_passthrough_turns_audio_in_passthrough_on() -> None:
    off = {"audio_in_passthrough": False}
    assert quietly(vad_audio_passthrough=True, **off).audio_in_passthrough
    assert not quietly(vad_audio_passthrough=False, **off).audio_in_passthrough


def test_what_is_not_deprecated_does_not_warn() -> None:
    WebsocketParams(audio_in_enabled=True, video_in_enabled=True)


# --- ours


@pytest.mark.parametrize(
    ("name", "default", "good", "wrong"),
    [
        ("end_on_session_timeout", True, False, "maybe"),
        ("end_on_disconnect", True, False, "maybe"),
        ("audio_out_lead_ms", 200, 0, -1),
        ("audio_out_queue_ms", 5000, 100, 99),
        ("write_timeout", 5.0, 0.1, 0),
        ("close_timeout", 0.5, 0.1, 0),
        ("max_message_bytes", 1 << 20, 1, 0),
        ("max_bad_messages", 10, 1, 0),
        ("max_messages_per_s", 500, None, 0),
        ("max_bytes_per_s", 1 << 20, 1e9, -1),
        ("flood_policy", "wait", "close", "drop"),
        ("receive_timeout", None, 30.0, 0),
        ("user_turn_stop_timeout", 5.0, 0.5, 0),
    ],
)
def test_our_own(name: str, default: Any, good: Any, wrong: Any) -> None:
    assert getattr(WebsocketParams(), name) == default
    assert getattr(WebsocketParams(**{name: good}), name) == good
    with pytest.raises(ValidationError, match=name):
        WebsocketParams(**{name: wrong})


def test_no_parameter_is_in_no_table() -> None:
    names = set(SEED) | {
        "end_on_session_timeout",
        "end_on_disconnect",
        "audio_out_lead_ms",
        "audio_out_queue_ms",
        "write_timeout",
        "close_timeout",
        "max_message_bytes",
        "max_bad_messages",
        "max_messages_per_s",
        "max_bytes_per_s",
        "flood_policy",
        "receive_timeout",
        "user_turn_stop_timeout",
    }
    assert set(WebsocketParams.model_fields) == names
    documented = f"{TransportParams.__doc__}{WebsocketParams.__doc__}"
    for name in names - set(CAMERA):
        assert name in documented, name


def test_a_serializer() -> None:
    serializer = JsonFrameSerializer()
    assert WebsocketParams(serializer=serializer).serializer is serializer
    assert isinstance(serializer, FrameSerializer)


def test_analyzers() -> None:
    voice, turn = Loud(), SilenceTurnAnalyzer()
    params = WebsocketParams(vad_analyzer=voice, turn_analyzer=turn)
    assert params.vad_analyzer is voice
    assert params.turn_analyzer is turn
    with pytest.raises(ValidationError, match="turn_analyzer is only asked when a vad_analyzer"):
        WebsocketParams(turn_analyzer=turn)


def test_methods_of_analyzers_that_nobody_would_await() -> None:
    class Asking(Loud):
        voice_confidence = anyio.sleep  # type: ignore[assignment]

    class Waiting(SilenceTurnAnalyzer):
        append_audio = anyio.sleep  # type: ignore[assignment]

    class Thinking(SilenceTurnAnalyzer):
        analyze_end_of_turn = own = anyio.sleep  # type: ignore[assignment]

    with pytest.raises(ValidationError, match=r"Asking\.voice_confidence .* a `def`, not an `asy"):
        WebsocketParams(vad_analyzer=Asking())
    with pytest.raises(ValidationError, match=r"Waiting\.append_audio .* a `def`, not an `async"):
        WebsocketParams(vad_analyzer=Loud(), turn_analyzer=Waiting())
    assert WebsocketParams(vad_analyzer=Loud(), turn_analyzer=Thinking()).turn_analyzer


# --- callbacks

CALLBACKS = ("on_client_connected", "on_client_disconnected", "on_session_timeout")


def test_all_callbacks_are_required() -> None:
    complete: dict[str, Any] = dict.fromkeys(CALLBACKS, anyio.sleep)
    callbacks: Any = WebsocketCallbacks(**complete)
    assert callbacks.on_client_connected is anyio.sleep
    for name in CALLBACKS:
        missing: dict[str, Any] = {other: anyio.sleep for other in CALLBACKS if other != name}
        with pytest.raises(ValidationError, match=name):
            WebsocketCallbacks(**missing)
        with pytest.raises(ValidationError, match=name):
            WebsocketCallbacks(**{**complete, name: 1})
    with pytest.raises(ValidationError, match="on_close"):
        WebsocketCallbacks(**complete, on_close=anyio.sleep)  # type: ignore[call-arg]


def test_a_wav_file_of_encoded_audio_is_refused() -> None:
    with pytest.raises(ValidationError, match="add_wav_header: MsgpackFrameSerializer encodes"):
        WebsocketParams(add_wav_header=True, serializer=MsgpackFrameSerializer(opus=True))
    assert WebsocketParams(add_wav_header=True, serializer=MsgpackFrameSerializer()).add_wav_header


class _Silent(BaseAudioMixer):
    def start(self, sample_rate: int) -> None:
        raise AssertionError("nobody starts it")

    stop = mix = process_frame = start  # type: ignore[assignment]


def test_mixers_are_for_destinations_that_there_are() -> None:
    one, other = _Silent(), _Silent()
    params = WebsocketParams(audio_out_mixer={None: one, "b": other}, audio_out_destinations=["b"])
    assert params.audio_out_mixer == {None: one, "b": other}
    assert WebsocketParams(audio_out_mixer=one).audio_out_mixer is one
    with pytest.raises(ValidationError, match="audio_out_mixer: 'c' is not in audio_out_dest"):
        WebsocketParams(audio_out_mixer={"c": one}, audio_out_destinations=["b"])
    with pytest.raises(ValidationError, match="each destination needs a mixer of its own"):
        WebsocketParams(audio_out_mixer={None: one, "b": one}, audio_out_destinations=["b"])
    with pytest.raises(ValidationError, match="audio_out_mixer"):
        WebsocketParams(audio_out_mixer=object())  # type: ignore[arg-type]
