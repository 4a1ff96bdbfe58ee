# SPDX-License-Identifier: MIT
"""The manual of causes, as somebody reads it who was just refused."""

import json
import os
import re
import subprocess

SESAME = os.environ["SESAME"]


def explain(*words, **environment):
    """Run `sesame explain` and return status, standard output and error."""
    env = dict(os.environ, **environment)
    done = subprocess.run([SESAME, "explain", *words], env=env, timeout=20,
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_without_a_word_it_lists_causes_statuses_and_questions():
    status, out, err = explain()
    assert status == 0 and err == ""
    for word in ("access.origin", "net.idle-timeout", "403", "1006",
                 "same-origin", "client-fault"):
        assert word in out


def test_the_contents_have_names():
    assert explain("causes") == explain("topics") == explain()


def test_a_cause_tells_who_has_to_act_and_what_to_do():
    status, out, _ = explain("access.origin")
    assert status == 0
    assert "Who has to act: whoever runs the server" in out
    assert "What to do" in out
    assert "--stack NAME" in out


def test_a_stack_gets_its_own_lines_to_paste():
    status, out, _ = explain("server.proxy-upgrade", "--stack", "nginx")
    assert status == 0
    assert "proxy_set_header Upgrade $http_upgrade;" in out
    assert "uvicorn" not in out.split("What to do")[1]


def test_what_is_for_special_cases_stands_behind_what_helps_always():
    _, page, _ = explain("access.host")
    always, special = page.split("What to do where the doctor sees")
    assert "list of allowed hosts" in always
    assert "externalPort" in special and "externalPort" not in always


def test_no_placeholder_is_left_unfilled():
    for cause in json.loads(explain("--json")[1])["causes"]:
        _, page, _ = explain(cause["id"], "--stack", "all")
        assert not re.search(r"<[a-z]+_?[a-z]*>", page), cause["id"]


def test_a_status_names_its_causes_in_order():
    status, out, _ = explain("403")
    assert status == 0
    assert out.index("access.origin") < out.index("server.proxy-host")
    assert out.index("server.proxy-host") < out.index("access.waf")
    assert "37 %" in out and "365 classified public threads" in out


def test_close_codes_of_the_application_share_one_page():
    assert explain("4001")[1] == explain("4999")[1]
    assert explain("4001")[0] == 0
    assert explain("5000")[0] == 2


def test_a_slip_of_the_finger_is_forgiven_with_a_suggestion():
    status, out, err = explain("acess.orgin")
    assert status == 2 and out == ""
    assert "did you mean access.origin?" in err


def test_what_was_typed_cannot_paint_the_terminal():
    status, _, err = explain("\033[31mred")
    assert status == 2
    assert "\033" not in err


def all_words():
    everything = json.loads(explain("--json")[1])
    return ([c["id"] for c in everything["causes"]] +
            [str(s["first"] or "none") for s in everything["statuses"]] +
            [t["id"] for t in everything["topics"]])


def test_lines_fit_a_terminal_of_eighty_columns():
    for words in [[], *([word] for word in all_words())]:
        for line in explain(*words)[1].splitlines():
            assert len(line) <= 80, line


def test_the_stacks_that_remedies_are_for_are_words_to_ask_for():
    lines = set()
    for cause in (w for w in all_words() if "." in w):
        lines |= {r["stack"] for r in json.loads(explain(cause, "--json")[1])["remedies"]}
    twelve = {"nginx", "apache", "haproxy", "caddy", "ws", "socket.io", "uvicorn", "fastapi",
              "channels", "tornado", "jupyter", "rails", "spring", "gorilla"}
    for name in (lines - {None}) | twelve:
        status, out, err = explain(name)
        assert status == 0 and err == "" and len(out.splitlines()) > 1, name


def test_the_contents_of_the_page_lead_to_its_headings():
    page = explain("--markdown")[1]
    headings = [re.sub(r"[^a-z0-9 _-]", "", line.lstrip("# ").lower()).replace(" ", "-")
                for line in page.splitlines() if line.startswith("#")]
    links = re.findall(r"\]\(#([^)]*)\)", page)
    assert len(links) > 100 and set(links) <= set(headings)


def test_a_pipe_gets_no_colours_unless_they_are_asked_for():
    assert "\033" not in explain("403")[1]
    assert "\033[1m" in explain("403", CLICOLOR_FORCE="1", NO_COLOR="")[1]
    assert "\033" not in explain("403", CLICOLOR_FORCE="1", NO_COLOR="1")[1]


def test_machines_get_json():
    cause = json.loads(explain("access.origin", "--json", "--stack=nginx")[1])
    assert cause["id"] == "access.origin" and cause["category"] == "access"
    assert cause["remedies"][0]["stack"] == "nginx"
    assert cause["remedies"][-1]["stack"] is None
    status = json.loads(explain("400", "--json")[1])
    assert status["causes"][0] == {"cause": "server.proxy-upgrade",
                                   "percent": 39}
    everything = json.loads(explain("--json")[1])
    assert len(everything["causes"]) == 49
    assert {t["id"] for t in everything["topics"]} >= {"cors", "cswsh", "tls"}


def test_wrong_usage_is_told_on_standard_error():
    for words in (["--jsn"], ["--stack"], ["--stack", "ngnx"],
                  ["403", "404"]):
        status, out, err = explain(*words)
        assert status == 2 and out == "" and err
