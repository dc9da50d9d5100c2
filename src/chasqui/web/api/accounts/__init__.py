"""Accounts: who there is, how they get in, what they belong to. One part to serve, written by thing.

| file | what |
|---|---|
| `sessions.py` | in and out |
| `passwords.py` | other passwords, second factors |
| `people.py` | invitations, people |
| `classes.py` | classes and who is in them |
| `tokens.py` | keys for programs |
| `schools.py` | the own school, and all of them |
| `shapes.py` | what they answer |
"""

from __future__ import annotations

from chasqui.web.api.accounts import classes as classes
from chasqui.web.api.accounts import passwords as passwords
from chasqui.web.api.accounts import people as people
from chasqui.web.api.accounts import schools as schools
from chasqui.web.api.accounts import sessions as sessions
from chasqui.web.api.accounts import tokens as tokens
from chasqui.web.api.accounts.blueprint import api as api
