"""Writes a .tflite from arrays, without TensorFlow: the schema that LiteRT ships, filled by hand.

Only built-in operators that every LiteRT has: what is drawn here runs on a phone as it stands.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Graph:
    """A network being drawn. Tensors are numbers; each method adds an operator and gives the tensor it fills."""

    def __init__(self, features: int, said: str) -> None:
        from ai_edge_litert import schema_py_generated as schema

        self._s: Any = schema
        self._model = schema.ModelT()
        self._model.version, self._model.description = 3, said
        self._model.buffers, self._model.operatorCodes = [schema.BufferT()], []
        self._net = schema.SubGraphT()
        self._net.name, self._net.tensors, self._net.operators = "main", [], []
        self.input = self._tensor((1, features), np.dtype(np.float32))
        self._net.inputs = [self.input]

    def size(self, tensor: int) -> int:
        """How many numbers a tensor holds."""
        return int(np.prod(self._shape(tensor)))

    def constant(self, values: NDArray[Any]) -> int:
        """A tensor of fixed numbers (float32 or int32)."""
        index = self._tensor(values.shape, values.dtype)
        buffer = self._s.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self._model.buffers.append(buffer)
        self._net.tensors[index].buffer = len(self._model.buffers) - 1
        return index

    def dense(self, x: int, weights: NDArray[Any], bias: NDArray[Any], relu: bool = False) -> int:
        """x @ weights + bias for weights of shape [in, out]."""
        options = self._s.FullyConnectedOptionsT()
        options.fusedActivationFunction = self._s.ActivationFunctionType.RELU if relu else 0
        inputs = [x, self.constant(weights.T.astype(np.float32)), self.constant(bias.astype(np.float32))]
        return self._add("FULLY_CONNECTED", inputs, (1, weights.shape[1]), options=("FullyConnectedOptions", options))

    def reshape(self, x: int, shape: tuple[int, ...]) -> int:
        """The same numbers in another shape; one −1 stands for what is left."""
        shape = tuple(self.size(x) // -int(np.prod(shape)) if size < 0 else size for size in shape)
        options = self._s.ReshapeOptionsT()
        options.newShape = list(shape)
        inputs = [x, self.constant(np.array(shape, np.int32))]
        return self._add("RESHAPE", inputs, shape, self._type(x), ("ReshapeOptions", options))

    def gather(self, table: int, at: int) -> int:
        """Lines of a table by their numbers."""
        options = self._s.GatherOptionsT()
        options.axis = 0
        shape = self._shape(at) + self._shape(table)[1:]
        return self._add("GATHER", [table, at], shape, self._type(table), ("GatherOptions", options))

    def greater(self, a: int, b: int) -> int:
        """Whether a > b, one by one."""
        return self._add(
            "GREATER", [a, b], self._shape(a), np.dtype(np.bool_), ("GreaterOptions", self._s.GreaterOptionsT())
        )

    def as_int(self, x: int) -> int:
        """0 or 1."""
        options = self._s.CastOptionsT()
        options.inDataType, options.outDataType = self._s.TensorType.BOOL, self._s.TensorType.INT32
        return self._add("CAST", [x], self._shape(x), np.dtype(np.int32), ("CastOptions", options))

    def add(self, a: int, b: int) -> int:
        """a + b, shapes alike."""
        options = self._s.AddOptionsT()
        return self._add("ADD", [a, b], self._shape(a), self._type(a), ("AddOptions", options))

    def sum(self, x: int, axis: int) -> int:
        """The sum over one axis, which stays with length 1."""
        options = self._s.ReducerOptionsT()
        options.keepDims = True
        shape = tuple(1 if place == axis else size for place, size in enumerate(self._shape(x)))
        inputs = [x, self.constant(np.array([axis], np.int32))]
        return self._add("SUM", inputs, shape, options=("ReducerOptions", options))

    def side_by_side(self, parts: list[int]) -> int:
        """Tensors of shape [1, n] joined along n."""
        options = self._s.ConcatenationOptionsT()
        options.axis = 1
        shape = (1, sum(self._shape(part)[1] for part in parts))
        return self._add("CONCATENATION", parts, shape, options=("ConcatenationOptions", options))

    def exp(self, x: int) -> int:
        """e^x, one by one."""
        return self._add("EXP", [x], self._shape(x), options=("ExpOptions", self._s.ExpOptionsT()))

    def absolute(self, x: int) -> int:
        """|x|, one by one."""
        return self._add("ABS", [x], self._shape(x), options=("AbsOptions", self._s.AbsOptionsT()))

    def subtract(self, a: int, b: int) -> int:
        """a − b; b of shape [1, n] is taken from every line of a."""
        return self._add("SUB", [a, b], self._shape(a), options=("SubOptions", self._s.SubOptionsT()))

    def times(self, x: int, factor: float) -> int:
        """x · factor."""
        inputs = [x, self.constant(np.array([factor], np.float32))]
        return self._add("MUL", inputs, self._shape(x), options=("MulOptions", self._s.MulOptionsT()))

    def finished(self, output: int) -> bytes:
        """The .tflite file."""
        import flatbuffers

        self._net.outputs = [output]
        self._model.subgraphs = [self._net]
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(self._model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())

    def _add(
        self,
        name: str,
        inputs: list[int],
        shape: tuple[int, ...],
        kind: np.dtype[Any] = np.dtype(np.float32),  # noqa: B008 - a dtype is immutable
        options: tuple[str, Any] | None = None,
    ) -> int:
        operator = self._s.OperatorT()
        operator.opcodeIndex = self._code(getattr(self._s.BuiltinOperator, name))
        operator.inputs, operator.outputs = inputs, [self._tensor(shape, kind)]
        if options is not None:
            operator.builtinOptionsType = getattr(self._s.BuiltinOptions, options[0])
            operator.builtinOptions = options[1]
        self._net.operators.append(operator)
        return int(operator.outputs[0])

    def _code(self, builtin: int) -> int:
        for index, known in enumerate(self._model.operatorCodes):
            if known.builtinCode == builtin:
                return index
        code = self._s.OperatorCodeT()
        code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, min(builtin, 127), 1
        self._model.operatorCodes.append(code)
        return len(self._model.operatorCodes) - 1

    def _tensor(self, shape: tuple[int, ...], kind: np.dtype[Any]) -> int:
        tensor = self._s.TensorT()
        tensor.name, tensor.shape, tensor.buffer = f"t{len(self._net.tensors)}", list(shape), 0
        types = self._s.TensorType
        tensor.type = {"f": types.FLOAT32, "i": types.INT32, "b": types.BOOL}[kind.kind]
        self._net.tensors.append(tensor)
        return len(self._net.tensors) - 1

    def _shape(self, tensor: int) -> tuple[int, ...]:
        return tuple(self._net.tensors[tensor].shape)

    def _type(self, tensor: int) -> np.dtype[Any]:
        types = self._s.TensorType
        kinds = {types.FLOAT32: np.float32, types.INT32: np.int32, types.BOOL: np.bool_}
        return np.dtype(kinds[self._net.tensors[tensor].type])


def operators(model: bytes) -> list[str]:
    """Names of the operators in a .tflite; a custom one comes by the name it was given, such as FlexAddV2."""
    from ai_edge_litert import schema_py_generated as schema

    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    found = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(model, 0))
    codes = [
        (code.customCode or b"").decode() or names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        for code in found.operatorCodes
    ]
    return sorted({codes[operator.opcodeIndex] for net in found.subgraphs for operator in net.operators})
