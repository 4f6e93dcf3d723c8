"""ONNX graphs, node by node, for models of int8 weights.

A linear layer holds its weights as int8 with a scale for each output, and turns every row of what it
is given into int8 by that row's own largest value: a row's product does not depend on the rows beside
it. ONNX Runtime multiplies int8 by int8 with the widest instructions that the processor has.
"""
import numpy as np
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 20, 10
RUNTIME_OPS = "com.microsoft"
# Rows are stored as unsigned bytes around this, since that is what the fast kernels take.
ZERO = 128
LARGEST = 127.0
# A row of zeros has no largest value to divide by.
TINY = 1e-7
NORM_EPSILON = 1e-5


class Graph:
    def __init__(self):
        self.nodes, self.constants, self._rows = [], [], {}

    def constant(self, name, value, dtype=np.float32):
        """The same again under a name that is taken is no new one; another is a mistake."""
        made = numpy_helper.from_array(np.array(value, dtype, order="C"), name)
        known = next((constant for constant in self.constants if constant.name == name), None)
        if known is None:
            self.constants.append(made)
        elif known != made:
            raise ValueError(f"the graph has another constant {name!r}")
        return name

    def node(self, op, inputs, out, **attributes):
        outs = [out] if isinstance(out, str) else out
        self.nodes.append(helper.make_node(op, inputs, outs, name=outs[0], **attributes))
        return out

    def runtime(self, op, inputs, out, **attributes):
        return self.node(op, inputs, out, domain=RUNTIME_OPS, **attributes)

    def norm(self, x, weight, bias, out, epsilon=NORM_EPSILON):
        inputs = [x, self.constant(f"{out}.weight", weight), self.constant(f"{out}.bias", bias)]
        return self.node("LayerNormalization", inputs, out, axis=-1, epsilon=epsilon)

    def linear(self, x, weight, bias, out):
        """`weight` [outputs, inputs]; `bias` [outputs] or None."""
        return self.linear_int8(x, *quantised(weight), bias, out)

    def linear_int8(self, x, matrix, scales, bias, out):
        """`matrix` [outputs, inputs] int8 and the scale of each output; `bias` [outputs] or None."""
        rows, row_scales = self._quantised_rows(x, matrix.shape[1])
        inputs = [
            rows, self.constant(f"{out}.weight", matrix.T, np.int8), self.constant("one", 1.0),
            self.constant(f"{out}.scales", scales), self.constant("zero", ZERO, np.uint8),
        ]
        product = self.runtime("MatMulIntegerToFloat", inputs, f"{out}.product")
        if bias is None:
            return self.node("Mul", [product, row_scales], out)
        scaled = self.node("Mul", [product, row_scales], f"{out}.scaled")
        return self.node("Add", [scaled, self.constant(f"{out}.bias", bias)], out)

    def _quantised_rows(self, x, width):
        """The tensor's rows as bytes, and their scales [.., 1]: once, however many layers read it."""
        if x not in self._rows:
            last = self.constant("last", [-1], np.int64)
            most = self.node("ReduceMax", [x, last], f"{x}.most", keepdims=1)
            least = self.node("Neg", [self.node("ReduceMin", [x, last], f"{x}.least", keepdims=1)], f"{x}.negated")
            largest = self.node("Max", [most, least, self.constant("tiny", TINY)], f"{x}.largest")
            scale = self.node("Mul", [largest, self.constant("step", 1 / LARGEST)], f"{x}.scale")
            # One scale a row wants all rows along one axis.
            flat = self.node("Reshape", [x, self.constant(f"matrix.{width}", [-1, width], np.int64)], f"{x}.matrix")
            scales = self.node("Reshape", [scale, last], f"{x}.scales")
            zeros = self.node(
                "ConstantOfShape", [self.node("Shape", [scales], f"{x}.rows")], f"{x}.zeros",
                value=helper.make_tensor("zero", TensorProto.UINT8, [1], [ZERO]),
            )
            steps = self.node("QuantizeLinear", [flat, scales, zeros], f"{x}.steps", axis=0)
            shape = self.node("Shape", [x], f"{x}.shape")
            self._rows[x] = self.node("Reshape", [steps, shape], f"{x}.bytes"), scale
        return self._rows[x]

    def serialised(self, name, inputs, outputs, opset=OPSET):
        """`inputs` and `outputs`: name, element type and shape of each."""
        tensors = lambda all: [helper.make_tensor_value_info(*one) for one in all]
        graph = helper.make_graph(self.nodes, name, tensors(inputs), tensors(outputs), self.constants)
        model = helper.make_model(
            graph, producer_name="callqa", ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid(RUNTIME_OPS, 1)],
        )
        return model.SerializeToString(deterministic=True)


def quantised(weight):
    """int8 [outputs, inputs] and the scale of each output."""
    weight = np.asarray(weight, np.float32)
    scales = np.maximum(np.abs(weight).max(1) * np.float32(1 / LARGEST), np.float32(TINY / LARGEST))
    return np.clip(np.round(weight / scales[:, None]), -LARGEST, LARGEST).astype(np.int8), scales
