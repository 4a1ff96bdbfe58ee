# SPDX-License-Identifier: MIT
"""clients/js in Node with `ws`, against the program itself."""
import pytest
from nodes import needs_ws
from stage import perform

pytestmark = needs_ws


def test_two_talk_in_a_channel(tmp_path):
    perform(tmp_path, "talk", "node")


@pytest.mark.parametrize("backplane", ["", "redis"])
def test_what_is_ones_own_is_known_where_the_route_echoes(tmp_path, monkeypatch, backplane):
    monkeypatch.setenv("SESAME_BACKPLANE", backplane)
    perform(tmp_path, "own", "node", path="/echo/lobby")


def test_what_waits_to_be_sent_is_bounded(tmp_path):
    perform(tmp_path, "queue", "node")


def test_a_gateway_that_was_killed_is_found_again_and_a_gap_is_told(tmp_path):
    perform(tmp_path, "killed", "node")


@pytest.mark.parametrize("resume", ["url", "message"])
def test_twenty_cuts_lose_nothing_and_double_nothing(tmp_path, resume):
    perform(tmp_path, "cut", "node", resume=resume)


def test_waits_grow_and_are_bounded(tmp_path):
    perform(tmp_path, "back_off", "node")


def test_a_refusal_is_explained_and_is_not_asked_for_again(tmp_path):
    perform(tmp_path, "refused", "node", close="true")


def test_the_status_of_a_refusal_is_told_where_it_can_be_seen(tmp_path):
    perform(tmp_path, "status", "node")


def test_the_reference_of_a_refusal_without_a_body_is_told(tmp_path):
    perform(tmp_path, "silent", "node", path="/silent/lobby")


def test_who_sent_too_much_comes_back_later(tmp_path):
    perform(tmp_path, "later", "node", path="/few/lobby")


def test_a_close_that_names_no_cause_is_told_in_its_own_words(tmp_path):
    perform(tmp_path, "long", "node", path="/short/lobby")


def test_states_are_the_newest_of_each_key(tmp_path):
    perform(tmp_path, "states", "node", path="/price/all")
