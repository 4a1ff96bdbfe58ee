# SPDX-License-Identifier: MIT
"""The table: every rule, with the section that it is from, and its cases."""
import framing
import squeezing
import volume
import words

GROUPS = (framing, words, volume, squeezing)
RULES = {rule: row for group in GROUPS for rule, row in group.RULES.items()}


def cases(role=None):
    """All, or those for an endpoint of this role: "s" server, "c" client."""
    return [c for group in GROUPS for c in group.cases() if role is None or role in c.roles]
