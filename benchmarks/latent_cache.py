"""How many pictures per CPU second are decoded, scaled, encoded and written to a fresh latent cache.

    python benchmarks/latent_cache.py MODEL FOLDER --resolution 256 --threads 1
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib_trainer.core.events import Event, Notice
from lib_trainer.dataset.context import DatasetContext
from lib_trainer.dataset.options import DatasetOptions
from lib_trainer.images.options import BucketOptions


def measure(arguments: argparse.Namespace, cache: Path) -> None:
    import torch

    from lib_trainer.dataset.opening import open_dataset
    from lib_trainer.models.loading import load_model

    torch.set_num_threads(arguments.threads)
    model = load_model(arguments.model, torch.float32, torch.device(arguments.device))
    with torch.no_grad():
        model.encode_pictures(torch.zeros(1, 3, 64, 64))  # so that loading the VAE is not counted
    print(f"VAE {model.vae_digest[:12]}, {arguments.threads} threads, {arguments.resolution} px")
    buckets = BucketOptions(resolution=arguments.resolution, step=arguments.step)
    options = DatasetOptions(folder=arguments.folder, buckets=buckets)
    context = DatasetContext(cache=cache, seed=0, batch_size=1, emit=show, should_stop=lambda: False)
    for name in ("encoding", "again, all cached"):
        wall, processor = time.perf_counter(), time.process_time()
        dataset = open_dataset(options, model, context)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        count = len(dataset.entries)
        print(f"{name}: {count} pictures, {processor:.2f} CPU s ({wall:.2f} s), {count / processor:.2f} per CPU s")


def show(event: Event) -> None:
    if isinstance(event, Notice):
        print(event.message)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--resolution", type=int, default=256)
    parser.add_argument("--step", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    with tempfile.TemporaryDirectory() as cache:
        measure(parser.parse_args(), Path(cache))


if __name__ == "__main__":
    main()
