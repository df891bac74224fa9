"""The options of the page on its own."""

from __future__ import annotations

import pytest

from lib_trainer.core.errors import ConfigError
from lib_trainer.ui.options import PageOptions, logins


def test_a_password_may_have_colons_of_its_own():
    assert logins(PageOptions(auth=("anna:a:b", "ben:c d"))) == [("anna", "a:b"), ("ben", "c d")]
    assert logins(PageOptions()) == []


@pytest.mark.parametrize("wrong", ["secretword", ":secretword", "secretword:", ""])
def test_a_login_without_user_or_password_is_refused_and_not_shown(wrong):
    with pytest.raises(ConfigError, match="Number 2 of 'auth' must be user:password") as caught:
        logins(PageOptions(auth=("anna:x", wrong)))
    assert "secretword" not in str(caught.value)


def test_a_user_who_comes_twice_is_refused():
    with pytest.raises(ConfigError, match="'auth' names the user 'anna' twice"):
        logins(PageOptions(auth=("anna:x", "anna:y")))
