"""A head as an ONNX file, calibration inside, with the same bytes for the same weights."""
import json

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from network import FEATURES, probabilities
from outcome import COLUMNS, OUTCOMES

OPSET = 17
IR_VERSION = 8
MAX_BYTES = 3_000_000
# float32 in the file against float64 here.
TOLERANCE = 1e-5


class ExportError(Exception):
    pass


def head_bytes(task, labels, trained, metadata, sample):
    """The file's bytes, after they have been run on `sample` [n, FEATURES] and agreed."""
    nodes, weights, outputs = [], [], []
    for number, part in enumerate(trained):
        outputs.append(_layers(number, part.layers, nodes, weights))
    joined = outputs[0]
    if len(outputs) > 1:
        given = [label for part in trained for label in part.group.labels]
        order = numpy_helper.from_array(np.array([given.index(label) for label in labels], np.int64), "order")
        weights.append(order)
        nodes.append(helper.make_node("Concat", outputs, ["parts"], name="parts", axis=1))
        nodes.append(helper.make_node("Gather", ["parts", "order"], ["logits"], name="logits", axis=1))
        joined = "logits"
    last = ("Softmax", {"axis": 1}) if trained[0].group.exclusive else ("Sigmoid", {})
    nodes.append(helper.make_node(last[0], [joined], ["probabilities"], name="probabilities", **last[1]))
    value = lambda name, width: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width])
    graph = helper.make_graph(nodes, task, [value("features", FEATURES)], [value("probabilities", len(labels))], weights)
    data = _serialised(graph, metadata)
    _agree(data, labels, trained, sample)
    if len(data) > MAX_BYTES:
        raise ExportError(f"{task} has {len(data)} bytes, more than the {MAX_BYTES} allowed")
    return data


def thresholds_json(labels, thresholds):
    rounded = {label: {name: round(value, 4) for name, value in zip(("holds", "doubt", "decides"), thresholds[label])}
               for label in labels}
    return json.dumps(rounded, separators=(",", ":"))


def _layers(number, layers, nodes, weights):
    value = "features"
    for name, matrix, bias in (("first", layers.first, layers.first_bias), ("second", layers.second, layers.second_bias)):
        name = f"{name}{number}"
        weights.append(numpy_helper.from_array(matrix.astype(np.float32), f"{name}.weight"))
        weights.append(numpy_helper.from_array(bias.astype(np.float32), f"{name}.bias"))
        nodes.append(helper.make_node("Gemm", [value, f"{name}.weight", f"{name}.bias"], [name], name=name))
        value = name
        if name.startswith("first"):
            value = f"hidden{number}"
            nodes.append(helper.make_node("Relu", [name], [value], name=value))
    return value


def _agree(data, labels, trained, sample):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    (found,) = session.run(["probabilities"], {"features": sample})
    for part in trained:
        columns = [labels.index(label) for label in part.group.labels]
        gap = np.abs(found[:, columns] - probabilities(part.layers.logits(sample), part.group.exclusive)).max()
        if gap > TOLERANCE:
            raise ExportError(f"{part.group}: the file differs by {gap:.1e} from the network, more than {TOLERANCE:.0e}")


def outcome_bytes(model, metadata):
    """The outcome model's file: `cues` [n, COLUMNS] to `probabilities` [n, 3]."""
    weights = [numpy_helper.from_array(model.weights.astype(np.float32), "weights"),
               numpy_helper.from_array(model.bias.astype(np.float32), "bias")]
    nodes = [helper.make_node("Gemm", ["cues", "weights", "bias"], ["logits"], name="logits"),
             helper.make_node("Softmax", ["logits"], ["probabilities"], name="probabilities", axis=1)]
    value = lambda name, width: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width])
    graph = helper.make_graph(nodes, "outcome", [value("cues", COLUMNS)], [value("probabilities", len(OUTCOMES))], weights)
    return _serialised(graph, metadata)


def _serialised(graph, metadata):
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="callqa")
    model.ir_version = IR_VERSION
    helper.set_model_props(model, dict(sorted(metadata.items())))
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)
