"""A WD14 tagger in miniature: a vision transformer as ONNX with its list of tags, and the same network in torch."""

from __future__ import annotations

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch.nn import functional

SIDE, PATCH, WIDTH = 32, 8, 12
TAGS = (
    *(("general", 9), ("sensitive", 9), ("questionable", 9), ("explicit", 9)),
    *(("1girl", 0), ("long_hair", 0), ("^_^", 0), ("outdoors", 0), ("looking_at_viewer", 0), ("tree", 0), ("sky", 0)),
    *(("saber_(fate)", 4), ("hatsune_miku", 4)),
)


def weights(tags, seed=3):
    rng = np.random.default_rng(seed)

    def drawn(*shape, scale=1.0):
        return (rng.standard_normal(shape) * scale).astype(np.float32)

    return {
        "patch": drawn(WIDTH, 3, PATCH, PATCH, scale=0.2),
        "place": drawn(1, (SIDE // PATCH) ** 2, WIDTH, scale=0.3),
        "gain": 1 + drawn(WIDTH, scale=0.1),
        "shift": drawn(WIDTH, scale=0.1),
        "qkv": drawn(WIDTH, 3 * WIDTH, scale=0.4),
        "head": drawn(WIDTH, tags, scale=2.0),
        "bias": drawn(tags),
    }


def make_tagger(folder, batch="n", tags=TAGS, numbers=None):
    """Write `model.onnx` and `selected_tags.csv`; `batch` is a number where the file fixes it."""
    folder.mkdir(parents=True)
    rows = [f"{number},{name},{category},1" for number, (name, category) in enumerate(tags)]
    (folder / "selected_tags.csv").write_text("\n".join(["tag_id,name,category,count", *rows]) + "\n", encoding="utf-8")
    onnx.save(graph(batch, numbers or len(tags)), str(folder / "model.onnx"))
    return folder


def graph(batch, tags):
    half = np.array(127.5, np.float32)
    scale = np.array(WIDTH**-0.5, np.float32)
    constants = {**weights(tags), "half": half, "one": np.array(1, np.float32), "scale": scale,
                 "flat": np.array([0, WIDTH, -1], np.int64)}  # fmt: skip
    node = helper.make_node
    nodes = [
        node("Transpose", ["input"], ["channels"], perm=[0, 3, 1, 2]),
        node("Div", ["channels", "half"], ["scaled"]),
        node("Sub", ["scaled", "one"], ["centred"]),
        node("Conv", ["centred", "patch"], ["patches"], strides=[PATCH, PATCH], kernel_shape=[PATCH, PATCH]),
        node("Reshape", ["patches", "flat"], ["columns"]),
        node("Transpose", ["columns"], ["rows"], perm=[0, 2, 1]),
        node("Add", ["rows", "place"], ["tokens"]),
        node("LayerNormalization", ["tokens", "gain", "shift"], ["normed"], axis=-1, epsilon=1e-5),
        node("MatMul", ["normed", "qkv"], ["three"]),
        node("Split", ["three"], ["q", "k", "v"], axis=-1, num_outputs=3),
        node("Transpose", ["k"], ["k_turned"], perm=[0, 2, 1]),
        node("MatMul", ["q", "k_turned"], ["products"]),
        node("Mul", ["products", "scale"], ["logits"]),
        node("Softmax", ["logits"], ["attention"], axis=-1),
        node("MatMul", ["attention", "v"], ["mixed"]),
        node("Add", ["tokens", "mixed"], ["out"]),
        node("ReduceMean", ["out", "axis"], ["mean"], keepdims=0),
        node("Gemm", ["mean", "head", "bias"], ["numbers"]),
        node("Sigmoid", ["numbers"], ["output"]),
    ]
    constants["axis"] = np.array([1], np.int64)
    made = helper.make_graph(
        nodes,
        "tagger",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [batch, tags])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def scores_by_torch(pictures):
    """The same network in torch, for pictures [n, side, side, 3] in BGR from 0 to 255."""
    w = {name: torch.from_numpy(value) for name, value in weights(len(TAGS)).items()}
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2) / 127.5 - 1
    tokens = functional.conv2d(x, w["patch"], stride=PATCH).flatten(2).mT + w["place"]
    q, k, v = (functional.layer_norm(tokens, (WIDTH,), w["gain"], w["shift"]) @ w["qkv"]).chunk(3, -1)
    mixed = tokens + functional.scaled_dot_product_attention(q, k, v)
    return torch.sigmoid(mixed.mean(1) @ w["head"] + w["bias"]).numpy()
