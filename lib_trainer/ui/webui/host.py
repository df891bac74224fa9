"""What AUTOMATIC1111 or Forge offers the page: its checkpoints, samplers, folders, card and pipeline."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from lib_trainer.comparison.plan import has_only_loras
from lib_trainer.core.configs import load
from lib_trainer.core.outputs import Output
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.demo.places import MODEL
from lib_trainer.steps import step_named
from lib_trainer.ui.access import is_inside
from lib_trainer.ui.host import Checkpoint, Host, Visibility
from lib_trainer.ui.webui.checkpoints import can_draw_with
from lib_trainer.ui.webui.demo_model import lend_to_a1111
from lib_trainer.ui.webui.loaded_model import is_forge, loaded_model
from lib_trainer.ui.webui.memory import Card
from lib_trainer.ui.webui.settings import wished_lora_folder

THIS_COMPUTER = ("127.0.0.1", "localhost", "::1")
NOT_USED = (
    "The folder for finished LoRAs of the WebUI's settings, {}, lies outside the WebUI's data and is not used, because "
    "others can reach this page. Start the WebUI with --trainer-any-folder to use it."
)


class WebUIHost(Host):
    """The WebUI that this process is."""

    def __init__(self) -> None:
        from modules import launch_utils, shared

        flags = shared.cmd_opts
        self.name = "Forge" if is_forge() else "A1111"
        self.version = launch_utils.git_tag()
        self.listens = others_can_reach(flags)
        self.any_folder = not self.listens or bool(getattr(flags, "trainer_any_folder", False))
        python = getattr(flags, "trainer_python", None)
        self.python = Path(python).absolute() if python else None
        self.card = Card()

    def checkpoints(self) -> list[Checkpoint]:
        """What the WebUI's own list has, in its order."""
        from modules import sd_models

        return [Checkpoint(info.title, Path(info.filename)) for info in list(sd_models.checkpoints_list.values())]

    def loaded_checkpoint(self) -> str | None:
        """Title of the checkpoint that is loaded; of the chosen one while none is."""
        from modules import sd_models, shared

        info = getattr(loaded_model(), "sd_checkpoint_info", None)
        if info is None:
            info = sd_models.get_closet_checkpoint_match(shared.opts.sd_model_checkpoint)
        return info.title if info is not None else None

    def samplers(self) -> list[str]:
        """Names of the samplers, without those that the user hid."""
        from modules import sd_samplers

        return list(sd_samplers.visible_sampler_names())

    def folders(self) -> dict[Output, Path]:
        """Where the WebUI's own flags say, or its settings."""
        from modules import sd_models, shared

        flags = shared.cmd_opts
        wished = wished_lora_folder()
        return {
            "lora": wished if wished is not None and self._may_use(wished) else Path(flags.lora_dir),
            "checkpoint": Path(flags.ckpt_dir or sd_models.model_path),
            "embedding": Path(flags.embeddings_dir),
            "hypernetwork": Path(flags.hypernetwork_dir),
        }

    def roots(self) -> list[Path]:
        """The WebUI's data and its models."""
        from modules import paths

        return [Path(folder) for folder in dict.fromkeys((paths.data_path, paths.models_path))]

    def notes(self) -> list[str]:
        """What the user should know as long as it is so."""
        wished = wished_lora_folder()
        refused = [] if wished is None or self._may_use(wished) else [NOT_USED.format(wished)]
        return refused + ([self.card.note] if self.card.note else [])

    def _may_use(self, folder: Path) -> bool:
        return self.any_folder or is_inside(folder, self.roots())

    def lend_demo(self) -> Path:
        """See `Host`; Forge refuses a model that small, so the engine draws with it there."""
        from modules import sd_models

        if is_forge():
            return MODEL
        lent = lend_to_a1111(self.folders()["checkpoint"])
        sd_models.list_models()
        return lent

    def api_credentials(self) -> dict[str, str]:
        """User -> password of --api-auth."""
        from modules import shared

        pairs = str(shared.cmd_opts.api_auth or "").split(",")
        return dict(pair.split(":", 1) for pair in pairs if ":" in pair)

    def holding_the_card(self, run: RunDirectory) -> AbstractContextManager[object]:
        """See `Host`; what the WebUI draws itself needs its model, and takes its own turn."""
        step, config = run.job()
        if step == "compare" and self.draws(load(step_named(step).options, config)):
            return nullcontext()
        return self.card.held_for(run)

    @property
    def holds(self) -> bool:
        """Whether the WebUI's own pictures wait for a run now."""
        return self.card.is_held

    def upscalers(self) -> list[str]:
        """See `Host`."""
        from lib_trainer.ui.webui.upscaling import upscaler_names

        return upscaler_names()

    def enlarge(self, source: Path, target: Path, task: dict[str, Any], run: RunDirectory) -> None:
        """See `Host`."""
        from lib_trainer.ui.webui.upscaling import enlarge

        enlarge(source, target, task, run)

    def interrogators(self) -> list[str]:
        """See `Host`."""
        from lib_trainer.ui.webui.interrogating import interrogators

        return interrogators()

    def interrogate(self, source: Path, target: Path, task: dict[str, Any], run: RunDirectory) -> None:
        """See `Host`."""
        from lib_trainer.ui.webui.interrogating import interrogate

        interrogate(source, target, task, run)

    def draw_comparison(self, options: Any, run: RunDirectory) -> dict[str, Any] | None:
        """See `Host`."""
        from lib_trainer.ui.webui.comparison import draw_comparison

        return draw_comparison(options, run) if self.draws(options) else None

    def draws(self, options: Any) -> bool:
        """Whether the WebUI's own pipeline can load all the models of these CompareOptions, and all their networks."""
        return all(can_draw_with(model) for model in options.all_models) and has_only_loras(options)

    def refresh(self, file: Path, output: Output) -> Visibility:
        """See `Host`."""
        from lib_trainer.ui.webui.lists import visibility
        from lib_trainer.ui.webui.other_lists import LISTED

        return visibility(file, self.card.version_before) if output == "lora" else LISTED[output](file)


def others_can_reach(flags: Any) -> bool:
    """Whether the WebUI was started so that other computers reach its port."""
    server = getattr(flags, "server_name", None)
    reached = any(getattr(flags, name, None) for name in ("listen", "share", "ngrok"))
    return reached or bool(server and server not in THIS_COMPUTER)
