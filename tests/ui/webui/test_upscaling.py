"""The WebUI's upscalers at work for a run of `prepare`."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lib_trainer.core.host_desk import DeclinedError
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui.webui.host import WebUIHost

pytest.importorskip("PIL")

from PIL import Image


class Doubling:
    """A scaler as modules/upscaler.py has them: its sizes are multiples of 8."""

    def __init__(self, webui, trouble=None):
        self.webui, self.trouble, self.asked = webui, trouble, []

    def upscale(self, image, scale, selected_model=None):
        assert self.webui.queue_lock.locked(), "upscaled outside of the queue"
        self.asked.append((image.mode, image.size, scale, selected_model))
        if self.trouble is not None:
            raise self.trouble
        return image.resize((int(image.width * scale) // 8 * 8, int(image.height * scale) // 8 * 8))


@pytest.fixture
def upscalers(webui):
    scalers = {"None": Doubling(webui), "Lanczos": Doubling(webui), "R-ESRGAN 4x+": Doubling(webui)}
    scalers["Broken"] = Doubling(webui, RuntimeError("CUDA out of memory"))
    webui.shared.sd_upscalers = [
        SimpleNamespace(name=name, scaler=scaler, data_path=f"/models/{name}.pth") for name, scaler in scalers.items()
    ]
    return scalers


@pytest.fixture
def run(tmp_path):
    run = RunDirectory(tmp_path / "run")
    run.create("prepare", {})
    return run


@pytest.fixture
def source(tmp_path):
    Image.new("RGB", (20, 12), "red").save(tmp_path / "a.in", "PNG")
    return tmp_path / "a.in"


def test_models_come_first_and_what_does_nothing_is_not_offered(upscalers):
    assert WebUIHost().upscalers() == ["R-ESRGAN 4x+", "Broken", "Lanczos"]


def test_a_webui_without_upscalers_offers_none(webui):
    assert WebUIHost().upscalers() == []


def test_a_picture_is_enlarged_in_the_webuis_queue(upscalers, run, source, tmp_path):
    WebUIHost().enlarge(source, tmp_path / "a.out", {"by": "R-ESRGAN 4x+", "times": 2}, run)
    with Image.open(tmp_path / "a.out") as larger:
        assert (larger.format, larger.size) == ("PNG", (40, 24))
    assert upscalers["R-ESRGAN 4x+"].asked == [("RGB", (20, 12), 2.0, "/models/R-ESRGAN 4x+.pth")]


@pytest.mark.parametrize(("by", "said"), [("Broken", "CUDA out of memory"), ("Gone", "no upscaler 'Gone'")])
def test_what_goes_wrong_is_said(upscalers, run, source, tmp_path, by, said):
    with pytest.raises(DeclinedError, match=said):
        WebUIHost().enlarge(source, tmp_path / "a.out", {"by": by, "times": 2}, run)


def test_a_picture_that_does_not_grow_is_a_failure(upscalers, run, source, tmp_path, webui):
    upscalers["Lanczos"].upscale = lambda image, scale, model: image
    with pytest.raises(DeclinedError, match="did not enlarge"):
        WebUIHost().enlarge(source, tmp_path / "a.out", {"by": "Lanczos", "times": 2}, run)
