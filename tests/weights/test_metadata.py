"""What a network file says about itself, as the WebUI and others read it."""

from __future__ import annotations

import json

from lib_trainer.weights.metadata import NetworkFacts, network_metadata

FACTS = NetworkFacts(
    family="sd1",
    base_name="base.safetensors",
    prediction="epsilon",
    resolution=512,
    clip_skip=1,
    trigger="sks",
    started_at=1000.5,
    finished_at=2000.5,
    epoch=3,
    step=42,
    seed=7,
    options={"ss_unet_lr": "0.0001"},
    buckets={(512, 512): 4, (448, 576): 2},
    folders={"10_cat": (10, 4), "dogs": (1, 2)},
    tags={"10_cat": {"cat": 4, "red": 1}, "dogs": {"dog": 2}},
)
OF_NETWORK = {"ss_network_module": "networks.lora", "ss_network_dim": "8", "ss_network_alpha": "8.0"}


def webui_version(metadata):
    """The rule of AUTOMATIC1111's Lora extension for which base models a file is shown with."""
    if metadata.get("ss_base_model_version", "").startswith("sdxl_"):
        return "SDXL"
    if str(metadata.get("ss_v2", "")) == "True":
        return "SD2"
    return "SD1" if metadata else "Unknown"


def webui_reading(metadata):
    """As the WebUI reads a header: what begins like a table is JSON."""
    return {key: json.loads(value) if value[:1] == "{" else value for key, value in metadata.items()}


def test_all_values_are_text():
    metadata = network_metadata("cat-e003", FACTS, OF_NETWORK)
    assert all(isinstance(part, str) for item in metadata.items() for part in item)


def test_the_webui_takes_it_for_version_1():
    metadata = network_metadata("cat-e003", FACTS, OF_NETWORK)
    assert webui_version(metadata) == "SD1"
    assert metadata["ss_base_model_version"] == "sd_v1"
    assert metadata["modelspec.architecture"] == "stable-diffusion-v1/lora"


def test_the_name_is_the_alias_and_the_title():
    metadata = network_metadata("cat-e003", FACTS, OF_NETWORK)
    assert metadata["ss_output_name"] == metadata["modelspec.title"] == "cat-e003"


def test_tables_are_what_the_webuis_page_of_a_network_counts():
    """Its page sums the buckets and the tags, and shows folders with their repeats."""
    metadata = webui_reading(network_metadata("cat-e003", FACTS, OF_NETWORK))
    buckets = metadata["ss_bucket_info"]["buckets"]
    assert [(tuple(bucket["resolution"]), int(bucket["count"])) for bucket in buckets.values()] == [
        ((448, 576), 2), ((512, 512), 4),
    ]  # fmt: skip
    assert metadata["ss_tag_frequency"] == FACTS.tags
    assert {name: (one["n_repeats"], one["img_count"]) for name, one in metadata["ss_dataset_dirs"].items()} == {
        "10_cat": (10, 4), "dogs": (1, 2),
    }  # fmt: skip
    assert metadata["ss_num_train_images"] == "42"


def test_facts_stand_under_kohyas_and_modelspecs_names():
    metadata = network_metadata("cat-e003", FACTS, OF_NETWORK)
    expected = {
        **OF_NETWORK,
        "ss_sd_model_name": "base.safetensors",
        "ss_clip_skip": "1",
        "ss_resolution": "(512, 512)",
        "ss_training_started_at": "1000.5",
        "ss_training_finished_at": "2000.5",
        "ss_epoch": "3",
        "ss_steps": "42",
        "ss_seed": "7",
        "ss_unet_lr": "0.0001",
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.resolution": "512x512",
        "modelspec.prediction_type": "epsilon",
        "modelspec.trigger_phrase": "sks",
    }
    assert {name: metadata[name] for name in expected} == expected


def test_without_a_trigger_none_is_told():
    import dataclasses

    assert "modelspec.trigger_phrase" not in network_metadata("x", dataclasses.replace(FACTS, trigger=""), {})
