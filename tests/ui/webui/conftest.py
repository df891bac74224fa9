"""A faked WebUI: the few names of its `modules` that we use, behaving as AUTOMATIC1111's or Forge's do."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui.webui import memory

VERSIONS = {"SD1": 1, "SD2": 2, "SDXL": 3, "Unknown": 4}


class Version:
    """A member of the WebUI's enumeration; all that we ask is its name, and whether a name is one."""

    __members__ = VERSIONS

    def __init__(self, name):
        self.name = name


class Options:
    """The WebUI's settings: what is not set has its default."""

    def __init__(self, **data):
        self.data, self.data_labels = data, dict.fromkeys(data)

    def __getattr__(self, name):
        try:
            return self.data[name]
        except KeyError:
            raise AttributeError(name) from None

    def add_option(self, key, info):
        self.data_labels[key] = info
        self.data.setdefault(key, info.default)


class State:
    """The WebUI's `shared.state`."""

    def __init__(self):
        self.begin(None)

    def begin(self, job):
        self.job, self.job_count, self.textinfo = job, -1, None
        self.interrupted = self.skipped = self.stopping_generation = False

    def end(self):
        self.job = ""

    def interrupt(self):
        self.interrupted = True


class Checkpoint:
    """The WebUI's CheckpointInfo."""

    def __init__(self, webui, filename, name=None):
        self.webui, self.filename, self.name = webui, str(filename), name or Path(filename).name
        self.title = f"{self.name} [abc]"

    def register(self):
        self.webui.sd_models.checkpoints_list[self.title] = self
        self.webui.sd_models.checkpoint_aliases[self.name] = self


class FakeWebUI:
    """One WebUI; `log` is what it was made to do, in order."""

    def __init__(self, root, forge):
        self.root, self.forge, self.log = root, forge, []
        for folder in ("models/Lora", "models/Stable-diffusion"):
            (root / folder).mkdir(parents=True)
        self.lora_dir, self.checkpoints = root / "models" / "Lora", root / "models" / "Stable-diffusion"
        self.model = SimpleNamespace(is_sd1=True, is_sd2=False, is_sdxl=False, sd_checkpoint_info=None)
        self.draw = lambda p: []  # what a test lets it draw: pictures
        self.comments = ""
        self.plot = None  # the script of the X/Y/Z plot
        self._make_shared()
        self._make_models()
        self._make_processing()
        self._make_networks()

    def _make_shared(self):
        flags = dict.fromkeys(("listen", "share", "ngrok", "server_name", "api_auth", "ckpt_dir", "no_prompt_history"))
        folders = {"lora_dir": str(self.lora_dir), "lyco_dir_backcompat": str(self.root / "models" / "LyCORIS")}
        folders["embeddings_dir"] = str(self.root / "embeddings")
        folders["hypernetwork_dir"] = str(self.root / "hypernetworks")
        opts = Options(
            sd_model_checkpoint="", lora_show_all=False, lora_hide_unknown_for_versions=[], list_hidden_files=True,
            CLIP_stop_at_last_layers=1, sd_lora="None",
        )  # fmt: skip
        if self.forge:
            opts.data["forge_preset"] = "sd"
        self.shared = SimpleNamespace(
            cmd_opts=SimpleNamespace(**flags, **folders), opts=opts, state=State(), OptionInfo=OptionInfo,
            hypernetworks={}, reload_hypernetworks=self._list_hypernetworks,
        )  # fmt: skip
        self.queue_lock = threading.Lock()
        self.call_queue = SimpleNamespace(queue_lock=self.queue_lock)
        self.progress = SimpleNamespace(pending_tasks=OrderedDict(), finished=[], current=None)
        self.progress.add_task_to_queue = lambda name: self.progress.pending_tasks.update({name: 0})
        self.progress.start_task = self.progress.pending_tasks.pop
        self.progress.finish_task = self.progress.finished.append
        self.paths = SimpleNamespace(data_path=str(self.root), models_path=str(self.root / "models"))
        self.launch_utils = SimpleNamespace(git_tag=lambda: "v1.10.1")

    def _list_hypernetworks(self):
        found = Path(self.shared.cmd_opts.hypernetwork_dir).rglob("*.pt")
        self.shared.hypernetworks = {path.stem: str(path) for path in found}

    def _make_models(self):
        aliases = {}
        self.sd_models = SimpleNamespace(
            checkpoints_list={}, checkpoint_aliases=aliases, list_models=self._list_models,
            model_path=str(self.checkpoints),
            CheckpointInfo=lambda filename: Checkpoint(self, filename),
            get_closet_checkpoint_match=aliases.get,
            send_model_to_trash=lambda model: self.log.append("trash"),
        )  # fmt: skip
        self.sd_models.model_data = data = SimpleNamespace(sd_model=self.model, lock=threading.Lock())
        self.lowvram = SimpleNamespace(send_everything_to_cpu=lambda: self.log.append("lowvram"))
        self.sd_unet = SimpleNamespace(apply_unet=lambda name: self.log.append(f"unet {name}"))
        self.devices = SimpleNamespace(torch_gc=lambda: self.log.append("collect"))
        if self.forge:
            self.sd_models.FakeInitialModel = type("FakeInitialModel", (), {})
            self.sd_models.forge_model_reload = self.load
            data.forge_hash = "a hash"
            self.backend = SimpleNamespace(memory_management=SimpleNamespace(
                unload_all_models=lambda: self.log.append("unload"), soft_empty_cache=lambda: self.log.append("collect")
            ))  # fmt: skip
            self.modules_forge = SimpleNamespace(main_entry=SimpleNamespace(checkpoint_change=self._choose))
        else:
            data.loaded_sd_models = [self.model]
            self.sd_models.reload_model_weights = self.load

    def _list_models(self):
        self.log.append("list checkpoints")
        self.sd_models.checkpoints_list.clear()
        self.sd_models.checkpoint_aliases.clear()
        for file in sorted(self.checkpoints.rglob("*.safetensors")):
            Checkpoint(self, file, file.relative_to(self.checkpoints).as_posix()).register()

    def _choose(self, name, save=True):
        assert save is False, "the user's own choice would be overwritten in config.json"
        self.log.append(f"choose {name}")
        self.shared.opts.data["sd_model_checkpoint"] = name

    def load(self):
        self.log.append("load")
        self.sd_models.model_data.sd_model = self.model

    def _make_processing(self):
        class Processing(SimpleNamespace):
            cached_c = cached_uc = cached_hr_c = cached_hr_uc = ("the last prompt", "what it was encoded to")

            def close(self):
                self.is_closed = True

        self.scripts = SimpleNamespace(ScriptRunner=lambda: "no scripts", scripts_data=[])
        self.processing = SimpleNamespace(
            StableDiffusionProcessing=Processing, StableDiffusionProcessingTxt2Img=Processing,
            process_images=self._process_images,
        )  # fmt: skip
        if self.forge:
            self.processing.forge_model_reload = self.load
        names = {"DPM++ 2M": ("DPM++ 2M", "Automatic"), "DPM++ 2M Karras": ("DPM++ 2M", "Karras")}
        self.sd_samplers = SimpleNamespace(
            all_samplers_map=dict.fromkeys(("DPM++ 2M", "Euler a")), visible_sampler_names=lambda: ["DPM++ 2M"],
            # as the WebUI does it: what it does not know becomes its first one
            get_sampler_and_scheduler=lambda name, _, convert_automatic: names.get(name, names["DPM++ 2M"]),
        )  # fmt: skip
        self.images = SimpleNamespace(GridAnnotation=lambda text: text)

    def _process_images(self, p):
        assert self.queue_lock.locked(), "drawn outside of the queue"
        assert self.shared.cmd_opts.no_prompt_history, "the user's last prompt would be overwritten"
        self.drawn = [*getattr(self, "drawn", []), p]
        pictures = self.draw(p)
        texts = [f"{prompt}, seed {seed}" for prompt, seed in zip(p.prompt, p.seed, strict=True)]
        return SimpleNamespace(images=pictures, infotexts=texts, index_of_first_image=0, comments=self.comments)

    def _make_networks(self):
        self.networks = ModuleType("networks")
        for name in ("available_networks", "available_network_aliases", "forbidden_network_aliases"):
            setattr(self.networks, name, {})
        self.networks.loaded_networks = []
        self.networks.list_available_networks = self._list_networks
        self.notes, self.version = {}, "SD1"
        notes_of = lambda filename: self.notes.get(Path(filename).stem, {})  # noqa: E731
        self.extra_networks = SimpleNamespace(get_user_metadata=notes_of)
        if self.forge:
            cleared = SimpleNamespace(cache_clear=lambda: self.log.append("forget files"))
            self.networks.load_lora_state_dict = cleared

    def _list_networks(self):
        self.log.append("list networks")
        known, aliases = self.networks.available_networks, self.networks.available_network_aliases
        known.clear()
        aliases.clear()
        for file in sorted(self.lora_dir.rglob("*.safetensors")):
            entry = SimpleNamespace(filename=str(file), sd_version=Version(self.version))
            known[file.stem] = aliases[file.stem] = entry

    def modules(self):
        """What stands in `sys.modules`."""
        names = [name for name, value in vars(self).items() if isinstance(value, SimpleNamespace) and name != "model"]
        found = {f"modules.{name}": getattr(self, name) for name in names}
        found["modules"] = ModuleType("modules")
        vars(found["modules"]).update({name: getattr(self, name) for name in names}, __path__=[])
        found["networks"] = self.networks
        if self.forge:
            found |= {"backend": self.backend, "modules_forge": self.modules_forge}
        return found

    def run_of(self, step, config=None):
        """A run's folder with this job."""
        count = len(list(self.root.glob("run-*")))
        run = RunDirectory(self.root / f"run-{count}")
        run.create(step, config or {})
        return run


class OptionInfo:
    """The WebUI's description of a setting."""

    def __init__(self, default, label, section):
        self.default, self.label, self.section, self.said = default, label, section, ""

    def info(self, text):
        self.said = text
        return self


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    """The seconds that are for people would only make these tests slow."""
    monkeypatch.setattr(memory, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(memory, "LOOK_SECONDS", 0.01)


@pytest.fixture
def make_webui(tmp_path, monkeypatch):
    """`make_webui(forge)`: the WebUI that this process then is."""

    def made(forge=False):
        webui = FakeWebUI(tmp_path / "webui", forge)
        for name in [name for name in sys.modules if name.split(".")[0] in ("modules", "networks", "backend")]:
            monkeypatch.delitem(sys.modules, name)
        for name, module in webui.modules().items():
            monkeypatch.setitem(sys.modules, name, module)
        return webui

    of_others = set(threading.enumerate())
    yield made
    for thread in set(threading.enumerate()) - of_others:
        if thread.name.startswith("lib-trainer"):
            with suppress(RuntimeError):
                thread.join(10)


@pytest.fixture(params=["A1111", "Forge"])
def webui(request, make_webui):
    """Both, one after the other."""
    return make_webui(request.param == "Forge")


@pytest.fixture
def a1111(make_webui):
    return make_webui(forge=False)


@pytest.fixture
def forge(make_webui):
    return make_webui(forge=True)
