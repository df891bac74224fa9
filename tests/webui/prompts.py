"""`WEBUI_DIR=CHECKOUT python -m tests.webui.prompts`: are our text states those of AUTOMATIC1111's own code?

For each family, forty prompts and each way of emphasis; needs the engine. WEBUI_PYTHON is the WebUI's own Python
(default: its `venv`). `--write` writes its tokens and weights into `tests/models/webui_prompts.json`. `--checkpoint
FILE` compares the text encoder of a Stable Diffusion 1 checkpoint too. `--double` computes in float64 on both sides:
where the mean of a model's states is near nought, 'Original' divides by it, and magnifies what 32 bits round away.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from lib_trainer.models.clip_tokens import END, FILES
from lib_trainer.models.loading import load_model
from lib_trainer.models.prompt import encode_prompts
from lib_trainer.models.text_options import WEBUI
from tests.models.families import SD2, SDXL, shapes_of_sd2, shapes_of_sdxl
from tests.models.miniature import MINIATURE, random_tensors, shapes_of
from tests.models.prompts import PROMPTS

EMPHASIS = ("Original", "No norm", "Ignore", "None")
MOST = 1e-5
KEPT = Path(__file__).parents[1] / "models" / "webui_prompts.json"
# OpenCLIP of the WebUI's version knows layers four times as wide inside, and no other.
SMALL_SD2 = replace(SD2, text=replace(SD2.text, inner_width=4 * SD2.text.width))
SMALL_SDXL = replace(SDXL, second_text=replace(SDXL.second_text, inner_width=4 * SDXL.second_text.width))


def written(path, shapes):
    """A checkpoint of random weights; its states have a mean, by which emphasis divides."""
    tensors = random_tensors(shapes)
    for name in tensors:
        if any(part in name for part in ("positional_emb", "position_emb", "ln_final.bias", "final_layer_norm.bias")):
            tensors[name] = tensors[name] + 0.25
    save_file(tensors, path, metadata={"format": "pt"})
    return path


def clip_config(text, heads):
    """The sizes of a CLIP text encoder as transformers wants them."""
    return {
        "vocab_size": 49408, "hidden_size": text.width, "intermediate_size": text.inner_width,
        "num_hidden_layers": text.layers, "num_attention_heads": heads, "hidden_act": "quick_gelu",
        "projection_dim": text.width, "max_position_embeddings": 77, "bos_token_id": 0, "eos_token_id": 2,
    }  # fmt: skip


def open_clip_config(text):
    """The same of OpenCLIP's; its part for pictures is thrown away."""
    return {
        "embed_dim": text.projection,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
        "text_cfg": {
            "context_length": 77, "vocab_size": 49408, "width": text.width, "heads": max(1, text.width // 64),
            "layers": text.layers,
        },
    }  # fmt: skip


def encoders(family, layout, heads):
    """What the WebUI is to build, and under which prefix the weights lie in a checkpoint."""
    tokenizer = str(FILES)
    if family == "sd1":
        told = {"kind": "clip", "layer": "last", "config": clip_config(layout.text, heads), "tokenizer": tokenizer}
        return [("cond_stage_model.transformer.", told)]
    if family == "sd2":
        told = {"kind": "open_clip", "pooled": False, "config": open_clip_config(layout.text)}
        return [("cond_stage_model.model.", told)]
    first = {"kind": "clip", "layer": "hidden", "config": clip_config(layout.text, heads)}
    first["layer_idx"] = layout.text.layers - 1
    second = {"kind": "open_clip", "pooled": True, "config": open_clip_config(layout.second_text)}
    return [
        ("conditioner.embedders.0.transformer.", {**first, "tokenizer": tokenizer}),
        ("conditioner.embedders.1.model.", second),
    ]


def ask(family, checkpoint, layout, clip_skips, folder, heads, double):
    """The WebUI's states by 'emphasis/clip skip/number', and its tokens and weights."""
    order = {
        "webui": os.environ["WEBUI_DIR"], "prompts": PROMPTS, "emphasis": EMPHASIS, "clip_skips": clip_skips,
        "double": double, "states": str(folder / "states.safetensors"), "tokens": str(folder / "tokens.json"),
        "encoders": [],
    }  # fmt: skip
    with safe_open(checkpoint, "pt") as file:
        for number, (prefix, told) in enumerate(encoders(family, layout, heads)):
            weights = folder / f"encoder-{number}.safetensors"
            names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118
            save_file({name.removeprefix(prefix): file.get_tensor(name) for name in names}, weights)
            order["encoders"].append({**told, "weights": str(weights)})
    (folder / "order.json").write_text(json.dumps(order))
    webui = Path(order["webui"])
    python = os.environ.get("WEBUI_PYTHON") or str(webui / "venv" / "bin" / "python")
    script = Path(__file__).with_name("prompts_there.py")
    subprocess.run([python, str(script), str(folder / "order.json")], cwd=webui, check=True, stdout=subprocess.DEVNULL)
    return load_file(order["states"]), json.loads(Path(order["tokens"]).read_text())


def windows_of(told):
    """Each window's tokens and weights without begin, end and padding."""
    found = []
    for tokens, weights in zip(told["tokens"], told["weights"], strict=True):
        ids = tokens[1:]
        while ids and ids[-1] == END:
            ids.pop()
        found.append([ids, weights[1 : len(ids) + 1]])
    return found


def compare(name, model, states, clip_skips):
    """Print the largest differences; whether all are small."""
    good = True
    for emphasis in EMPHASIS:
        for clip_skip in clip_skips:
            worst = (0.0, "")
            with torch.no_grad():
                texts = encode_prompts(model, PROMPTS, clip_skip, replace(WEBUI, emphasis=emphasis))
            for number, text in enumerate(texts):
                wanted = states[f"{emphasis}/{clip_skip}/{number}"]
                difference = float("inf")
                if text[: len(wanted)].shape == wanted.shape:
                    difference = float((text[: len(wanted)] - wanted).abs().max())
                    pooled = states.get(f"{emphasis}/{clip_skip}/{number}/pooled")
                    if pooled is not None:
                        difference = max(difference, float((text[-1, : len(pooled)] - pooled).abs().max()))
                if difference > MOST:
                    print(f"  {emphasis} {clip_skip} {difference:.2e} {PROMPTS[number][:70]!r}")
                worst = max(worst, (difference, PROMPTS[number][:40]))
            print(f"{name:12} clip skip {clip_skip} {emphasis:9} {worst[0]:.2e} {worst[1]!r}")
            good = good and worst[0] <= MOST
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--double", action="store_true")
    parser.add_argument("--checkpoint", type=Path)
    chosen = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        cases = [
            ("sd1", written(folder / "sd1.safetensors", shapes_of(MINIATURE)), MINIATURE, [1, 2]),
            ("sd2", written(folder / "sd2.safetensors", shapes_of_sd2(SMALL_SD2)), SMALL_SD2, [1]),
            ("sdxl", written(folder / "sdxl.safetensors", shapes_of_sdxl(SMALL_SDXL)), SMALL_SDXL, [1]),
        ]
        if chosen.checkpoint:
            from lib_trainer.models.sd1_layout import read_layout
            from lib_trainer.models.sd1_model import open_source

            layout = read_layout(chosen.checkpoint, open_source(chosen.checkpoint).shapes)
            cases.append(("sd1", chosen.checkpoint, layout, [1, 2]))
        for family, checkpoint, layout, clip_skips in cases:
            model = load_model(checkpoint, torch.float64 if chosen.double else torch.float32, torch.device("cpu"))
            heads = model.parts["text_encoder"].encoder.layers[0].self_attn.num_heads if family == "sd1" else 1
            states, told = ask(family, checkpoint, layout, clip_skips, folder, heads, chosen.double)
            good = compare(checkpoint.stem, model, states, clip_skips) and good
            if not all(each["same"] for each in told):
                print("the two encoders read differently:", [each["prompt"] for each in told if not each["same"]])
            if chosen.write and family == "sd1":
                kept = [[each["prompt"], windows_of(each)] for each in told]
                KEPT.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
