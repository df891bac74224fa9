"""What a run saves is listed by the host while it works, watched or not."""

from __future__ import annotations

from tests.ui.conftest import wait_for

SAVING = """
run.append(Saved("network", str(run.path / "a.safetensors"), 1, 1))
until(run.path / "go")
run.append(Saved("network", str(run.path / "b.safetensors"), 2, 2))
"""


def test_the_host_is_told_of_each_network_when_it_is_saved(page, engine, train, host):
    engine(SAVING)
    run = page.start("train", train)
    wait_for(lambda: host.listed == ["a.safetensors"])
    assert page.state(run) == "running"
    (page.server.project("first").run(run).path / "go").touch()
    page.wait_for(run, "finished")
    wait_for(lambda: host.listed == ["a.safetensors", "b.safetensors"])


def test_a_host_that_can_not_renew_its_list_does_not_end_the_run(page, engine, train, host, monkeypatch):
    def broken(network, output):
        host.listed.append(network.name)
        raise RuntimeError("no list")

    monkeypatch.setattr(host, "refresh", broken)
    engine(SAVING)
    run = page.start("train", train)
    (page.server.project("first").run(run).path / "go").touch()
    assert page.wait_for(run, "finished", "failed")["state"] == "finished"
    wait_for(lambda: "b.safetensors" in host.listed)
