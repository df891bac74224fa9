"""Runs in AUTOMATIC1111's own Python: its tokens, weights and text states for our prompts, written to a file.

    cd WEBUI && venv/bin/python .../prompts_there.py ORDER.json

ORDER.json names the WebUI's folder, a checkpoint's text encoders as safetensors with their kind and sizes, the prompts,
and where to write. Only its own classes tokenize, chunk, weigh and encode; nothing of ours is imported.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path


def main() -> None:
    order = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    webui = order["webui"]
    os.chdir(webui)
    sys.path.insert(0, webui)
    sys.argv = ["webui.py", "--use-cpu", "all", "--no-half", "--skip-torch-cuda-test", "--no-download-sd-model"]
    from modules import initialize

    initialize.imports()
    import torch
    from modules import shared
    from safetensors.torch import load_file, save_file

    embedders = [build(each, load_file(each["weights"])) for each in order["encoders"]]
    shared.opts.data["comma_padding_backtrack"] = 20
    if order["double"]:
        embedders = [embedder.double() for embedder in embedders]
    tensors, told = {}, []
    with torch.no_grad():
        for emphasis in order["emphasis"]:
            shared.opts.data["emphasis"] = emphasis
            for clip_skip in order["clip_skips"]:
                shared.opts.data["CLIP_stop_at_last_layers"] = clip_skip
                for number, prompt in enumerate(order["prompts"]):
                    parts, pooled = [], None
                    for embedder in embedders:
                        answer = embedder([prompt])
                        states, its_pooled = answer if isinstance(answer, tuple) else (answer, None)
                        parts.append(states[0])
                        pooled = pooled if its_pooled is None else its_pooled[0]
                    name = f"{emphasis}/{clip_skip}/{number}"
                    tensors[name] = torch.cat(parts, dim=1).contiguous()
                    if pooled is not None:
                        tensors[f"{name}/pooled"] = pooled.contiguous()
        shared.opts.data["emphasis"] = "Original"
        for prompt in order["prompts"]:
            chunks, _ = embedders[-1].tokenize_line(prompt)
            others, _ = embedders[0].tokenize_line(prompt)
            told.append({"prompt": prompt, "same": [c.tokens for c in chunks] == [c.tokens for c in others],
                         "tokens": [c.tokens for c in others], "weights": [c.multipliers for c in others]})
    save_file(tensors, order["states"])
    Path(order["tokens"]).write_text(json.dumps(told), encoding="utf-8")


def build(encoder: dict, weights: dict):
    from modules import sd_hijack, sd_hijack_clip, sd_hijack_open_clip

    hijack = sd_hijack.model_hijack
    if encoder["kind"] == "clip":
        embedder = clip(encoder, weights)
        for_sdxl = "ForSDXL" if encoder["layer"] == "hidden" else ""
        return getattr(sd_hijack_clip, f"FrozenCLIPEmbedder{for_sdxl}WithCustomWords")(embedder, hijack)
    embedder = open_clip_embedder(encoder, weights)
    for_sdxl = "2" if encoder["pooled"] else ""
    return getattr(sd_hijack_open_clip, f"FrozenOpenCLIPEmbedder{for_sdxl}WithCustomWords")(embedder, hijack)


def clip(encoder: dict, weights: dict):
    """The WebUI's embedder around transformers' CLIP, of the sizes that are asked for."""
    import ldm.modules.encoders.modules as ldm
    import sgm.modules.encoders.modules as sgm
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    library = sgm if encoder["layer"] == "hidden" else ldm
    kind = library.FrozenCLIPEmbedder
    embedder = kind.__new__(kind)
    import torch

    torch.nn.Module.__init__(embedder)
    embedder.tokenizer = CLIPTokenizer.from_pretrained(encoder["tokenizer"])
    embedder.transformer = CLIPTextModel(CLIPTextConfig(**encoder["config"])).eval()
    missing, unexpected = embedder.transformer.load_state_dict({k: v.float() for k, v in weights.items()}, strict=False)
    assert not [name for name in missing if "position_ids" not in name], missing
    assert not [name for name in unexpected if "position_ids" not in name], unexpected
    embedder.layer, embedder.layer_idx, embedder.device = encoder["layer"], encoder.get("layer_idx"), "cpu"
    return embedder


def open_clip_embedder(encoder: dict, weights: dict):
    """The WebUI's embedder around OpenCLIP, of the sizes that are asked for."""
    import ldm.modules.encoders.modules as ldm
    import open_clip
    import sgm.modules.encoders.modules as sgm

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "small-of-ours.json")
        file.write_text(json.dumps(encoder["config"]))
        open_clip.add_model_config(file)
        if encoder["pooled"]:
            embedder = sgm.FrozenOpenCLIPEmbedder2(
                file.stem, None, "cpu", layer="penultimate", always_return_pooled=True, legacy=False
            )
        else:
            embedder = ldm.FrozenOpenCLIPEmbedder(file.stem, None, "cpu", layer="penultimate")
    missing, unexpected = embedder.model.load_state_dict({k: v.float() for k, v in weights.items()}, strict=False)
    assert not missing, missing
    assert not unexpected, unexpected
    return embedder


if __name__ == "__main__":
    main()
