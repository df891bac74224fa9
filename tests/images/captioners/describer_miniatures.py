"""Describers in miniature, in folders as they are published: the real architectures with weights drawn by chance."""

from __future__ import annotations

import json

import torch

SENTENCE = "a an the photo of cat dog red blue tree on in and small big with man woman sits ara ##fed ##fe ##s"
WORDS = SENTENCE.split()
TASKS = "What does the image describe ? Describe in detail with paragraph what is shown"


def make_blip(folder, seed=0, side=32):
    """A BLIP that writes captions; its words are those above.

    As in the published models the word that begins a sentence has a number of its own behind the tokenizer's words.
    """
    from transformers import BlipConfig, BlipForConditionalGeneration

    folder.mkdir(parents=True)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    size = {"hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 2, "num_hidden_layers": 2}
    special = {"bos_token_id": len(vocabulary), "pad_token_id": 0, "sep_token_id": 3, "eos_token_id": 2}
    text = {**size, **special, "vocab_size": len(vocabulary) + 2, "encoder_hidden_size": 16, "projection_dim": 8}
    vision = {**size, "image_size": side, "patch_size": 8}
    model = BlipForConditionalGeneration(BlipConfig(vision_config=vision, text_config=text, projection_dim=8)).eval()
    randomise(model, seed)
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    tokenizer = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 512}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    pictures = {
        "do_normalize": True, "do_resize": True, "image_processor_type": "BlipImageProcessor",
        "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711],
        "processor_class": "BlipProcessor", "resample": 3, "size": {"height": side, "width": side},
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(pictures), encoding="utf-8")
    return folder


def randomise(model, seed, gain=2.0):
    """Weights large enough that the words depend on the picture, on each other and on their places."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.ndim > 1:
                fan_in = 1 if "embed" in name else weights[0].numel()
                weights.copy_(torch.randn_like(weights) * gain / fan_in**0.5)
    model.tie_weights()


def make_florence(folder, seed=0, side=64):
    """A Florence-2; its tokenizer knows the words of its tasks and those above."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import Florence2Config, Florence2ForConditionalGeneration

    folder.mkdir(parents=True)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    vocabulary = {word: number for number, word in enumerate(dict.fromkeys([*special, *TASKS.split(), *WORDS]))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens([*special, "<image>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "TokenizersBackend", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>",
        "unk_token": "<unk>", "model_max_length": 1024, "extra_special_tokens": {"image_token": "<image>"},
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    tokens = (side // 32) ** 2 + 1
    pictures = {
        "do_resize": True, "do_center_crop": False, "do_normalize": True, "do_rescale": True, "resample": 3,
        "image_processor_type": "CLIPImageProcessor", "processor_class": "Florence2Processor",
        "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "image_seq_length": tokens,
        "size": {"height": side, "width": side},
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(pictures), encoding="utf-8")
    vision = {"depths": [1, 1, 1, 1], "embed_dim": [8, 8, 8, 16], "num_heads": [1, 1, 1, 2], "num_groups": [1, 1, 1, 2],
              "window_size": 2, "projection_dim": 16, "drop_path_rate": 0.0}  # fmt: skip
    text = {
        "model_type": "bart", "vocab_size": len(vocabulary) + 1, "d_model": 16,
        "encoder_layers": 1, "decoder_layers": 2,
        "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 24, "decoder_ffn_dim": 24,
        "max_position_embeddings": 512, "bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2,
        "decoder_start_token_id": 2, "forced_eos_token_id": 2,
    }  # fmt: skip
    config = Florence2Config(vision_config=vision, text_config=text, image_token_id=len(vocabulary))
    model = Florence2ForConditionalGeneration(config).eval()
    randomise(model, seed)
    model.save_pretrained(folder)
    return folder
