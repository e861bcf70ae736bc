"""ONNX Runtime and OpenVINO: python onnx_worker.py FOLDER onnxruntime|openvino. One ONNX LSTM or GRU with its weights
as constants; forward only."""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from worker import Job, serve

LETTERS = {"lstm": "iofg", "gru": "zrn"}


def model(job):
    letters, p = LETTERS[job.cell], job.parameters
    W, R, b = ([p[kind + k].T for k in letters] for kind in "WUb")
    d = [np.zeros(job.hidden, np.float32)] * len(letters)
    if job.cell == "gru":
        d[2] = p["dn"]
    weights = {"W": np.concatenate(W)[None], "R": np.concatenate(R)[None], "B": np.concatenate(b + d)[None]}
    options = {"linear_before_reset": 1} if job.cell == "gru" else {}
    nodes = [helper.make_node(job.cell.upper(), ["x", "W", "R", "B"], ["hs"], hidden_size=job.hidden, **options),
             helper.make_node("Squeeze", ["hs", "axes"], ["h"])]
    constants = [numpy_helper.from_array(np.ascontiguousarray(v), k) for k, v in weights.items()]
    constants.append(numpy_helper.from_array(np.array([1]), "axes"))

    def tensor(name, size):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [job.steps, job.batch, size])
    graph = helper.make_graph(nodes, "peer", [tensor("x", job.inputs)], [tensor("h", job.hidden)], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def onnxruntime(job):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = job.threads, 1
    session = ort.InferenceSession(model(job).SerializeToString(), options, providers=["CPUExecutionProvider"])
    return ort.__version__, lambda: session.run(None, {"x": job.x})[0]


def openvino(job):
    import openvino as ov
    path = job.folder / "peer.onnx"
    onnx.save(model(job), path)
    compiled = ov.Core().compile_model(str(path), "CPU", {
        "INFERENCE_NUM_THREADS": job.threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()
    request.set_input_tensor(ov.Tensor(job.x, shared_memory=True))

    def forward():
        request.infer()
        return request.get_output_tensor().data
    return ov.__version__, forward


job = Job(sys.argv[1])
version, forward = {"onnxruntime": onnxruntime, "openvino": openvino}[sys.argv[2]](job)
last = []


def step(rate):
    last[:] = [forward()]
    return 0


serve(job, sys.argv[2], version, step, lambda: {"h": last[0]})
