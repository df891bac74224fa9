"""The graphics card, lent to a run."""

from __future__ import annotations

import threading
import time

import pytest

from lib_trainer.core.errors import EngineError
from lib_trainer.core.events import Notice
from lib_trainer.ui.webui import memory
from lib_trainer.ui.webui.loaded_model import TAKEN, loaded_model
from lib_trainer.ui.webui.memory import NOT_BACK, Card
from lib_trainer.ui.webui.settings import GENERATE


def until(question):
    """Wait for what another thread does."""
    for _ in range(1000):
        if question():
            return True
        time.sleep(0.01)
    return False


def test_the_model_is_gone_and_the_queue_ours_as_long_as_the_run_lasts(webui):
    card = Card()
    with card.held_for(webui.run_of("train")):
        assert loaded_model() is None
        assert webui.queue_lock.locked()
        assert card.is_held
    assert not card.is_held
    assert until(lambda: not webui.queue_lock.locked())


def test_a1111_throws_the_weights_away_instead_of_moving_them(a1111):
    with Card().held_for(a1111.run_of("train")):
        assert a1111.log == ["unet None", "lowvram", "trash", "collect"]
        assert a1111.sd_models.model_data.loaded_sd_models == []
        assert a1111.processing.StableDiffusionProcessing.cached_c[0] is None


def test_forge_is_as_before_its_first_picture(forge):
    with Card().held_for(forge.run_of("train")):
        assert forge.log == ["unload", "collect"]
        assert isinstance(forge.sd_models.model_data.sd_model, forge.sd_models.FakeInitialModel)
        assert forge.sd_models.model_data.forge_hash == ""


def test_the_model_comes_back_after_the_run(webui):
    with Card().held_for(webui.run_of("train")):
        pass
    assert until(lambda: "load" in webui.log)
    assert loaded_model() is webui.model


def test_nothing_is_loaded_after_the_run_where_nothing_was_before(webui):
    with Card().held_for(webui.run_of("train")):  # the first drops the model
        pass
    assert until(lambda: "load" in webui.log)
    webui.sd_models.model_data.sd_model = None
    if not webui.forge:
        webui.sd_models.model_data.loaded_sd_models.clear()
    webui.log.clear()
    with Card().held_for(webui.run_of("train")):
        pass
    time.sleep(0.2)
    assert "load" not in webui.log


def test_between_two_runs_of_the_queue_the_model_stays_away(webui, monkeypatch):
    monkeypatch.setattr(memory, "PAUSE_SECONDS", 1.0)
    card = Card()
    with card.held_for(webui.run_of("train")):
        pass
    with card.held_for(webui.run_of("train")):
        time.sleep(0.1)
        assert "load" not in webui.log
    assert until(lambda: "load" in webui.log)
    assert webui.log.count("load") == 1


def test_a_model_that_can_not_be_loaded_again_is_told_until_it_is_there(webui, monkeypatch):
    def fail():
        raise RuntimeError("out of memory")

    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    name = "forge_model_reload" if webui.forge else "reload_model_weights"
    monkeypatch.setattr(webui.sd_models, name, fail)
    card = Card()
    with card.held_for(webui.run_of("train")):
        pass
    assert until(lambda: card.note)
    assert card.note == NOT_BACK
    assert until(lambda: not webui.queue_lock.locked())
    webui.load()
    assert card.note == ""


def test_with_the_setting_generate_runs_while_a_run_trains(webui):
    webui.shared.opts.data[GENERATE] = True
    card = Card()
    with card.held_for(webui.run_of("train")):
        assert loaded_model() is None
        assert not webui.queue_lock.locked()
        assert not card.is_held


def test_a_run_waits_for_the_picture_that_is_being_drawn_and_says_so(webui):
    run = webui.run_of("train")
    entered = threading.Event()

    def hold():
        with Card().held_for(run):
            entered.set()

    with webui.queue_lock:
        thread = threading.Thread(target=hold)
        thread.start()
        assert until(lambda: run.events_after(0)[0])
        assert not entered.is_set()
        assert loaded_model() is webui.model
    thread.join(10)
    assert entered.is_set()
    (told,) = run.events_after(0)[0]
    assert isinstance(told, Notice)
    assert "Waiting for the WebUI" in told.message


def test_a_run_that_is_stopped_while_it_waits_enters_without_the_card(webui):
    run = webui.run_of("train")
    card = Card()
    with webui.queue_lock:
        threading.Timer(0.3, run.request, ["stop"]).start()
        with card.held_for(run):
            assert not card.is_held
            assert loaded_model() is webui.model
    assert webui.log == []
    assert until(lambda: not webui.queue_lock.locked())  # the place in the queue was given up


def test_a_stop_request_of_an_earlier_engine_gives_no_place_away(webui):
    run = webui.run_of("train")
    run.request("stop")
    card = Card()
    holding = card.held_for(run)
    with webui.queue_lock:
        thread = threading.Thread(target=holding.__enter__)
        thread.start()
        thread.join(0.4)
        assert thread.is_alive()
    thread.join(10)
    assert card.is_held
    holding.__exit__(None, None, None)


def test_two_who_hold_for_the_same_run_free_the_card_when_both_have_left(webui):
    card, run = Card(), webui.run_of("train")
    with card.held_for(run):
        with card.held_for(run):
            assert card.is_held
        assert card.is_held
        assert webui.queue_lock.locked()
    assert not card.is_held
    assert webui.log.count("collect") == 1


def test_interrupt_sends_a_waiting_picture_away_with_a_sentence_and_the_card_stays_ours(webui):
    card = Card()
    said = []
    reload = "forge_model_reload" if webui.forge else "reload_model_weights"

    def generate():
        webui.progress.pending_tasks["task(a)"] = 0
        with webui.queue_lock:
            webui.progress.pending_tasks.pop("task(a)")
            try:
                getattr(webui.sd_models, reload)()
            except EngineError as error:
                said.append(str(error))

    with card.held_for(webui.run_of("train")):
        thread = threading.Thread(target=generate)
        thread.start()
        assert until(lambda: webui.progress.pending_tasks)
        webui.shared.state.interrupt()
        thread.join(10)
        assert said == [TAKEN]
        assert until(webui.queue_lock.locked)
        assert until(lambda: not webui.shared.state.interrupted)
        assert card.is_held
        assert "load" not in webui.log
    getattr(webui.sd_models, reload)()
    assert "load" in webui.log  # ours is gone from its place again


def test_what_was_interrupted_before_the_run_counts_for_nothing(webui):
    webui.shared.state.interrupt()
    with Card().held_for(webui.run_of("train")):
        assert not webui.shared.state.interrupted


def test_when_dropping_fails_the_queue_goes_on(webui, monkeypatch):
    monkeypatch.setattr(memory, "drop_model", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError), Card().held_for(webui.run_of("train")):
        pass
    assert until(lambda: not webui.queue_lock.locked())
