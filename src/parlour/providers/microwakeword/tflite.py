"""The few calls of TensorFlow Lite's C interface (c_api.h) that a streaming network needs."""

import ctypes
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parlour.errors import ConfigError, MissingError, ProviderError

NAME = "microwakeword"
FEATURES = 40  # of the front end, for each 10 ms
_KINDS: dict[int, np.dtype[Any]] = {3: np.dtype(np.uint8), 9: np.dtype(np.int8)}  # TfLiteType
_MAGIC = b"TFL3"  # at byte 4 of every model


class _Quantization(ctypes.Structure):
    _fields_ = [("scale", ctypes.c_float), ("zero_point", ctypes.c_int32)]


_CALLS: dict[str, tuple[type[Any] | None, list[type[Any]]]] = {
    "ModelCreateFromFile": (ctypes.c_void_p, [ctypes.c_char_p]),
    "ModelDelete": (None, [ctypes.c_void_p]),
    "InterpreterOptionsCreate": (ctypes.c_void_p, []),
    "InterpreterOptionsSetNumThreads": (None, [ctypes.c_void_p, ctypes.c_int32]),
    "InterpreterOptionsDelete": (None, [ctypes.c_void_p]),
    "InterpreterCreate": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_void_p]),
    "InterpreterDelete": (None, [ctypes.c_void_p]),
    "InterpreterAllocateTensors": (ctypes.c_int, [ctypes.c_void_p]),
    "InterpreterInvoke": (ctypes.c_int, [ctypes.c_void_p]),
    "InterpreterGetInputTensorCount": (ctypes.c_int32, [ctypes.c_void_p]),
    "InterpreterGetOutputTensorCount": (ctypes.c_int32, [ctypes.c_void_p]),
    "InterpreterGetInputTensor": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int32]),
    "InterpreterGetOutputTensor": (ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int32]),
    "TensorType": (ctypes.c_int, [ctypes.c_void_p]),
    "TensorNumDims": (ctypes.c_int32, [ctypes.c_void_p]),
    "TensorDim": (ctypes.c_int32, [ctypes.c_void_p, ctypes.c_int32]),
    "TensorData": (ctypes.c_void_p, [ctypes.c_void_p]),
    "TensorQuantizationParams": (_Quantization, [ctypes.c_void_p]),
}


class Library:
    """The shared library, loaded once for the process."""

    def __init__(self, path: Path, how_to_get: str) -> None:
        try:
            self._library = ctypes.CDLL(str(path))
        except OSError as error:  # a library for another processor, or for a newer libc
            raise MissingError(
                f"{path.name} cannot be used here ({error}): {how_to_get}"
            ) from error
        for name, (result, arguments) in _CALLS.items():
            call = getattr(self._library, f"TfLite{name}")
            call.restype, call.argtypes = result, arguments

    def __call__(self, name: str, *arguments: object) -> Any:
        return getattr(self._library, f"TfLite{name}")(*arguments)


class Network:
    """One model file in memory, shared by all that run it."""

    def __init__(self, library: Library, path: Path) -> None:
        """Raises ConfigError for a file that is no network of microWakeWord."""
        self.library, self.path = library, path
        try:
            with path.open("rb") as file:
                is_model = file.read(8)[4:] == _MAGIC
        except OSError as error:
            raise ConfigError(f"cannot read {path}: {error.strerror or error}") from error
        self.pointer = library("ModelCreateFromFile", str(path).encode()) if is_model else None
        if not self.pointer:
            raise ConfigError(f"{path} is no TensorFlow Lite model")
        weakref.finalize(self, library, "ModelDelete", self.pointer)
        Running(self).close()  # tells now what would fail later


class Running:
    """A network with a memory of its own: one stream's. What it remembers cannot be wiped (the
    library resets no resource variables), so a new stream is a new one: 0.1 ms."""

    def __init__(self, network: Network) -> None:
        self._network = network  # must live as long as this
        self._library = library = network.library
        options = library("InterpreterOptionsCreate")
        library("InterpreterOptionsSetNumThreads", options, 1)
        self._pointer = library("InterpreterCreate", network.pointer, options)
        library("InterpreterOptionsDelete", options)
        if not self._pointer:
            raise ConfigError(f"{network.path} cannot be run by TensorFlow Lite")
        self._delete = weakref.finalize(self, library, "InterpreterDelete", self._pointer)
        if library("InterpreterAllocateTensors", self._pointer):
            raise ConfigError(f"{network.path} cannot be run by TensorFlow Lite")
        self._input, scale, zero, shape = self._tensor("Input")
        self._output, self._out_scale, self._out_zero, out_shape = self._tensor("Output")
        if len(shape) != 3 or shape[0] != 1 or shape[2] != FEATURES or np.prod(out_shape) != 1:
            raise ConfigError(f"{network.path} is no network of microWakeWord")
        self.stride = shape[1]  # frames of 10 ms that it takes at once
        self._scale, self._zero = 1 / scale, zero
        kind = np.iinfo(self._input.dtype)
        self._least, self._most = kind.min, kind.max

    def probability(self, features: NDArray[np.float32]) -> float:
        """That the word ends now. `features` has the shape (stride, FEATURES)."""
        scaled = features * self._scale + self._zero
        np.rint(scaled, out=scaled)
        self._input[:] = np.clip(scaled, self._least, self._most, out=scaled).ravel()
        if self._library("InterpreterInvoke", self._pointer):
            raise ProviderError(NAME, f"{self._network.path.name} cannot be run")
        return (int(self._output[0]) - self._out_zero) * self._out_scale

    def close(self) -> None:
        self._delete()

    def _tensor(self, side: str) -> tuple[NDArray[Any], float, int, tuple[int, ...]]:
        """The only tensor of a side: its memory, how it is quantized, and its shape."""
        library, path = self._library, self._network.path
        if library(f"InterpreterGet{side}TensorCount", self._pointer) != 1:
            raise ConfigError(f"{path} is no network of microWakeWord")
        tensor = library(f"InterpreterGet{side}Tensor", self._pointer, 0)
        kind = _KINDS.get(library("TensorType", tensor))
        quantized = library("TensorQuantizationParams", tensor)
        dimensions = library("TensorNumDims", tensor)
        shape = tuple(library("TensorDim", tensor, at) for at in range(dimensions))
        data = library("TensorData", tensor)
        if kind is None or not quantized.scale or not data or min(shape, default=0) < 1:
            raise ConfigError(f"{path} is no network of microWakeWord")
        of_bytes = ctypes.c_uint8 * int(np.prod(shape))
        memory = np.frombuffer(memoryview(of_bytes.from_address(data)), kind)
        return memory, float(quantized.scale), int(quantized.zero_point), shape
