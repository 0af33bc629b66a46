"""Which device a run gets: the order of ``auto``, the sentences of refusals, the names of results.

No device but the CPU is needed here: what onnxruntime says it has is set by each test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import onnxruntime
import pytest

from castsearch.errors import InputError
from castsearch.networks import device as module
from castsearch.networks.device import CPU, DEVICES, Device, device

CPU_ONLY = ["CPUExecutionProvider"]
ALL = [one.provider for one in DEVICES.values()]


@pytest.fixture(autouse=True)
def forget_answers() -> Iterator[None]:
    """What a device was, is remembered by the process; each test starts and leaves without."""
    device.cache_clear()
    yield
    device.cache_clear()


@pytest.fixture
def built_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], None]:
    """Makes onnxruntime say that it was built with certain providers."""

    def say(providers: list[str]) -> None:
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: providers)

    return say


@pytest.fixture
def working(monkeypatch: pytest.MonkeyPatch) -> Callable[[set[str]], list[str]]:
    """Makes devices start by their name; returns the names that were tried."""

    def say(names: set[str]) -> list[str]:
        tried: list[str] = []

        def works(candidate: Device) -> bool:
            tried.append(candidate.name)
            return candidate.name in names | {"cpu"}

        monkeypatch.setattr(module, "_works", works)
        return tried

    return say


def test_devices_stand_in_the_order_of_auto_under_their_own_names() -> None:
    assert list(DEVICES) == ["cuda", "tensorrt", "rocm", "coreml", "directml", "cpu"]
    assert [one.name for one in DEVICES.values()] == list(DEVICES)
    assert len(set(ALL)) == len(ALL)
    assert [name for name, one in DEVICES.items() if not one.auto] == ["tensorrt"]
    # All that may be missing say what makes them available.
    assert [name for name, one in DEVICES.items() if not one.remedy] == ["cpu"]


def test_a_machine_with_the_cpu_alone_gets_it(built_with: Callable[[list[str]], None]) -> None:
    built_with(CPU_ONLY)
    assert device("auto") is CPU
    assert device() is CPU
    assert device("cpu") is CPU


@pytest.mark.parametrize(
    ("works", "chosen", "tried"),
    [
        ({"cuda", "tensorrt", "rocm"}, "cuda", ["cuda"]),
        ({"tensorrt", "rocm"}, "rocm", ["cuda", "rocm"]),
        ({"directml"}, "directml", ["cuda", "rocm", "coreml", "directml"]),
        ({"tensorrt"}, "cpu", ["cuda", "rocm", "coreml", "directml", "cpu"]),
    ],
)
def test_auto_takes_the_first_that_works_and_never_builds_engines_unasked(
    works: set[str],
    chosen: str,
    tried: list[str],
    built_with: Callable[[list[str]], None],
    working: Callable[[set[str]], list[str]],
) -> None:
    built_with(ALL)
    attempts = working(works)
    assert device("auto") is DEVICES[chosen]
    assert attempts == tried


def test_auto_asks_only_what_onnxruntime_was_built_with(
    built_with: Callable[[list[str]], None], working: Callable[[set[str]], list[str]]
) -> None:
    built_with(["ROCMExecutionProvider", *CPU_ONLY])
    attempts = working({"cuda", "rocm"})
    assert device("auto").name == "rocm"
    assert attempts == ["rocm"]


@pytest.mark.parametrize("name", [name for name in DEVICES if name != "cpu"])
def test_a_device_that_works_is_had_by_name(
    name: str,
    built_with: Callable[[list[str]], None],
    working: Callable[[set[str]], list[str]],
) -> None:
    built_with(ALL)
    working({name})
    assert device(name) is DEVICES[name]


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(InputError) as refusal:
        device("gpu")
    assert str(refusal.value) == (
        "There is no device 'gpu'; there are auto, cuda, tensorrt, rocm, coreml, directml, cpu."
    )


def test_a_missing_provider_is_one_sentence_with_its_remedy(
    built_with: Callable[[list[str]], None],
) -> None:
    built_with(["AzureExecutionProvider", *CPU_ONLY])
    with pytest.raises(InputError) as refusal:
        device("cuda")
    assert str(refusal.value) == (
        "The device 'cuda' cannot be had: this onnxruntime has no CUDAExecutionProvider (it has "
        "AzureExecutionProvider, CPUExecutionProvider); put onnxruntime-gpu in onnxruntime's "
        "place: pip uninstall onnxruntime, then pip install onnxruntime-gpu."
    )


@pytest.mark.parametrize("name", [name for name in DEVICES if name != "cpu"])
def test_every_missing_device_names_its_provider_and_its_remedy(
    name: str, built_with: Callable[[list[str]], None]
) -> None:
    built_with(CPU_ONLY)
    with pytest.raises(InputError) as refusal:
        device(name)
    sentence = str(refusal.value)
    assert f"has no {DEVICES[name].provider} " in sentence
    assert sentence.endswith(f"{DEVICES[name].remedy}.")
    assert "\n" not in sentence


def absent_provider() -> str:
    """A device that the onnxruntime of this machine was not built with."""
    available = onnxruntime.get_available_providers()
    return next(name for name, one in DEVICES.items() if one.provider not in available)


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_provider_that_is_listed_but_does_not_start_is_told_by_trying_it(
    built_with: Callable[[list[str]], None],
) -> None:
    # Listed by our word alone: the network of one node is really given to onnxruntime.
    name = absent_provider()
    built_with([DEVICES[name].provider, *CPU_ONLY])
    with pytest.raises(InputError) as refusal:
        device(name)
    assert str(refusal.value) == (
        f"The device {name!r} cannot be had: onnxruntime has {DEVICES[name].provider}, but it does "
        "not start on this machine; check the driver and its libraries, or use --device cpu."
    )
    assert device("auto") is CPU


def test_a_provider_that_raises_does_not_start(
    built_with: Callable[[list[str]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise RuntimeError("libcudnn.so.9: cannot open shared object file")

    built_with(ALL)
    monkeypatch.setattr(onnxruntime, "InferenceSession", broken)
    with pytest.raises(InputError, match="it does not start on this machine"):
        device("cuda")
    assert device("auto") is CPU


def test_a_session_that_falls_back_to_the_cpu_does_not_count(
    built_with: Callable[[list[str]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = onnxruntime.InferenceSession

    def on_the_cpu(model: bytes, options: object, *, providers: list[str]) -> object:
        return real(model, options, providers=CPU_ONLY)

    built_with(ALL)
    monkeypatch.setattr(onnxruntime, "InferenceSession", on_the_cpu)
    assert device("auto") is CPU


def test_a_session_on_the_asked_provider_counts(
    built_with: Callable[[list[str]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network of one node is one that onnxruntime runs: here on the CPU in another's name."""
    real = onnxruntime.InferenceSession

    class Renamed:
        def __init__(self, model: bytes, options: object, *, providers: list[str]) -> None:
            self.session = real(model, options, providers=CPU_ONLY)
            self.providers = providers

        def run(self, names: None, inputs: dict[str, object]) -> object:
            return self.session.run(names, inputs)

        def get_providers(self) -> list[str]:
            return [*self.providers, *CPU_ONLY]

    built_with(ALL)
    monkeypatch.setattr(onnxruntime, "InferenceSession", Renamed)
    assert device("auto").name == "cuda"
    assert device("tensorrt").name == "tensorrt"


def test_results_of_the_cpu_have_no_device_in_their_names_and_others_their_own() -> None:
    keys = {name: one.key for name, one in DEVICES.items()}
    assert keys["cpu"] == ""
    assert keys["cuda"] == "@cuda"
    assert len(set(keys.values())) == len(DEVICES)


def test_a_cpu_takes_floats_one_by_one_and_integers_in_fours() -> None:
    assert (CPU.per_call("float32"), CPU.per_call("int8"), CPU.n_threads) == (1, 4, 1)
    one = Device("x", "XExecutionProvider", n_float32=16, n_int8=64)
    assert (one.per_call("float32"), one.per_call("int8")) == (16, 64)
