"""What is public: complete, unique, documented."""

import importlib
import inspect
import pkgutil
from types import ModuleType

import pytest

import wsframes

PACKAGES = [
    "wsframes.audio",
    "wsframes.exceptions",
    "wsframes.frames",
    "wsframes.graph",
    "wsframes.processors",
    "wsframes.serializers",
    "wsframes.transport",
    "wsframes.testing",
    "wsframes.turn",
    "wsframes.vad",
    "wsframes.video",
]

# contract.md's names, by where they are imported from.
CONTRACT = {
    "wsframes": """
        Frame SystemFrame DataFrame ControlFrame StartFrame EndFrame CancelFrame StopFrame
        InterruptionFrame ErrorFrame HeartbeatFrame InputAudioRawFrame OutputAudioRawFrame
        TTSAudioRawFrame InputImageRawFrame OutputImageRawFrame SpriteFrame TextFrame
        TransportMessageFrame TransportMessageUrgentFrame InputTransportMessageFrame InputDTMFFrame
        OutputDTMFFrame OutputDTMFUrgentFrame UserStartedSpeakingFrame UserStoppedSpeakingFrame
        VADUserStartedSpeakingFrame VADUserStoppedSpeakingFrame BotStartedSpeakingFrame
        BotSpeakingFrame BotStoppedSpeakingFrame BotInterruptionFrame VADParamsUpdateFrame
        FilterUpdateSettingsFrame FilterEnableFrame MixerUpdateSettingsFrame MixerEnableFrame
        FrameDirection FrameProcessor Pipeline ParallelPipeline PipelineTask PipelineParams
        PipelineRunner BaseObserver
    """,
    "wsframes.audio": "BaseAudioFilter BaseAudioMixer",
    "wsframes.serializers": "FrameSerializer FrameSerializerType",
    "wsframes.transport": """
        WebsocketTransport WebsocketParams WebsocketCallbacks WebsocketClient
        WebsocketInputTransport WebsocketOutputTransport
    """,
    "wsframes.vad": "VADAnalyzer VADParams VADState",
    "wsframes.turn": "BaseTurnAnalyzer",
    "wsframes.transport.fastapi_websocket": """
        FastAPIWebsocketTransport FastAPIWebsocketParams FastAPIWebsocketCallbacks
        FastAPIWebsocketClient FastAPIWebsocketInputTransport FastAPIWebsocketOutputTransport
    """,
}


def _modules() -> list[str]:
    found = pkgutil.walk_packages(wsframes.__path__, "wsframes.")
    return [module.name for module in found if not module.name.endswith("__main__")]


@pytest.mark.parametrize("name", CONTRACT)
def test_the_contract_s_names_are_where_it_says(name: str) -> None:
    module = importlib.import_module(name)
    missing = set(CONTRACT[name].split()) - set(module.__all__)
    assert not missing


@pytest.mark.parametrize("name", ["wsframes", *PACKAGES])
def test_all_is_sorted_unique_and_true(name: str) -> None:
    module = importlib.import_module(name)
    assert list(module.__all__) == sorted(set(module.__all__))
    for public in module.__all__:
        assert hasattr(module, public)


@pytest.mark.parametrize("name", _modules())
def test_what_a_module_exports_it_defines_and_documents(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__, f"{name} does not say what it is for"
    for public in getattr(module, "__all__", ()):
        value = getattr(module, public)
        if _is_defined_in(value, module) and inspect.isclass(value):
            assert value.__doc__, f"{name}.{public} has no docstring"


def test_the_top_level_hands_on_only_what_a_package_exports() -> None:
    below = {
        id(getattr(importlib.import_module(name), public))
        for name in PACKAGES
        for public in importlib.import_module(name).__all__
    }
    for public in wsframes.__all__:
        assert id(getattr(wsframes, public)) in below, public


def _is_defined_in(value: object, module: ModuleType) -> bool:
    return getattr(value, "__module__", None) == module.__name__
