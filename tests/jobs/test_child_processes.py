"""Children: what they see, what they say, how they end."""

from __future__ import annotations

import os
import sys
import time

import pytest

from lib_trainer.jobs.child_processes import SetupStoppedError, clean_environment, follow


def test_the_hosts_python_and_where_pip_would_put_things_are_taken_out():
    host = {
        "PYTHONPATH": "/host",
        "PYTHONHOME": "/host",
        "VIRTUAL_ENV": "/host",
        "LD_PRELOAD": "libtcmalloc.so",
        "__PYVENV_LAUNCHER__": "/host",
        "PIP_TARGET": "/host",
        "PIP_PREFIX": "/host",
        "PIP_USER": "1",
        "PIP_IGNORE_INSTALLED": "0",
        "PIP_NO_DEPS": "1",
    }
    assert clean_environment(host) == {}


def test_where_packages_come_from_and_everything_else_stays():
    kept = {
        "PATH": "/bin",
        "HOME": "/me",
        "CUDA_VISIBLE_DEVICES": "1",
        "HTTPS_PROXY": "http://proxy",
        "PIP_INDEX_URL": "https://mirror",
        "PIP_EXTRA_INDEX_URL": "https://other",
        "PIP_FIND_LINKS": "/wheels",
        "PIP_CERT": "/cert",
        "PIP_PROXY": "http://proxy",
        "PIP_CONFIG_FILE": "/conf",
        "PIP_CACHE_DIR": "/cache",
    }
    assert clean_environment(kept) == kept


def test_our_own_variables_are_the_base_unless_given(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/host")
    monkeypatch.setenv("SOMETHING", "else")
    assert "PYTHONPATH" not in clean_environment()
    assert clean_environment()["SOMETHING"] == "else"


def run(code, on_line, should_stop=lambda: False):
    return follow([sys.executable, "-c", code], dict(os.environ), on_line, should_stop)


def test_lines_of_both_outputs_come_in_and_the_exit_status_goes_out():
    lines = []
    code = "import sys; print('a', flush=True); print('b', file=sys.stderr); sys.exit(3)"
    assert run(code, lines.append) == 3
    assert [line for line in lines if line is not None] == ["a", "b"]


def test_while_nothing_is_said_there_are_ticks():
    lines = []
    run("import time; time.sleep(1)", lines.append)
    assert lines.count(None) >= 2


def test_a_stopped_child_may_clean_up_and_is_gone_then(tmp_path):
    code = f"""
import time
try:
    print('begun', flush=True)
    time.sleep(60)
finally:
    open({str(tmp_path / 'cleaned')!r}, 'w').close()
"""
    lines = []
    began = time.monotonic()
    with pytest.raises(SetupStoppedError):
        run(code, lines.append, lambda: "begun" in lines)
    assert time.monotonic() - began < 10
    assert (tmp_path / "cleaned").exists() or os.name == "nt"
