"""A head as an ONNX file, calibration inside, with the same bytes for the same weights."""
import json

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from features import FEATURES
from network import probabilities

OPSET = 17
IR_VERSION = 8
MAX_BYTES = 3_000_000
# float32 in the file against float64 here.
TOLERANCE = 1e-5


class ExportError(Exception):
    pass


def head_bytes(task, labels, trained, metadata, sample):
    """The file's bytes, after they have been run on `sample` [n, 1157] and agreed."""
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
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="callqa")
    model.ir_version = IR_VERSION
    helper.set_model_props(model, dict(sorted(metadata.items())))
    onnx.checker.check_model(model, full_check=True)
    data = model.SerializeToString(deterministic=True)
    _agree(data, labels, trained, sample)
    if len(data) > MAX_BYTES:
        raise ExportError(f"{task} has {len(data)} bytes, more than the {MAX_BYTES} allowed")
    return data


def thresholds_json(labels, thresholds):
    rounded = {label: {"holds": round(thresholds[label][0], 4), "doubt": round(thresholds[label][1], 4)} for label in labels}
    return json.dumps(rounded, separators=(",", ":"))


def _layers(number, layers, nodes, weights):
    pairs = [("first", layers.first, layers.first_bias)]
    if layers.second is not None:
        pairs.append(("second", layers.second, layers.second_bias))
    value = "features"
    for name, matrix, bias in pairs:
        name = f"{name}{number}"
        weights.append(numpy_helper.from_array(matrix.astype(np.float32), f"{name}.weight"))
        weights.append(numpy_helper.from_array(bias.astype(np.float32), f"{name}.bias"))
        nodes.append(helper.make_node("Gemm", [value, f"{name}.weight", f"{name}.bias"], [name], name=name))
        value = name
        if layers.second is not None and name.startswith("first"):
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
