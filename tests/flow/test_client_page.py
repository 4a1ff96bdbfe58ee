# SPDX-License-Identifier: MIT
"""clients/js in a page of Chromium: the plays of test_client_js.py."""
import os
import shutil

import pytest
from stage import BROWSER, perform

pytestmark = pytest.mark.skipif(
    not shutil.which("node") or not (BROWSER / "node_modules/playwright-core").exists() or
    not shutil.which(os.environ.get("CHROMIUM", "chromium")), reason="there is no browser")


@pytest.mark.parametrize("play", ["talk", "queue", "killed", "back_off"])
def test_a_page_does_what_node_does(tmp_path, play):
    perform(tmp_path, play, "chromium")


@pytest.mark.parametrize("resume", ["url", "message"])
def test_twenty_cuts_lose_a_page_nothing(tmp_path, resume):
    perform(tmp_path, "cut", "chromium", resume=resume)


def test_a_page_is_told_why_it_was_refused(tmp_path):
    perform(tmp_path, "refused", "chromium", close="true")


def test_a_page_is_told_what_its_browser_hides(tmp_path):
    perform(tmp_path, "explained", "chromium")


def test_a_page_that_sent_too_much_comes_back_later(tmp_path):
    perform(tmp_path, "later", "chromium", path="/few/lobby")


def test_a_page_has_the_newest_states(tmp_path):
    perform(tmp_path, "states", "chromium", path="/price/all")
