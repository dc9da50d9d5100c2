"""The service over HTTP: one Flask application of blueprints that can also be served apart.

| file | decides |
|---|---|
| `app.py` | what the application is made of |
| `auth.py` | who asks, and whether they may |
| `problems.py` | how errors are answered: problem+json, in the words of the command line |
| `paging.py` | how long lists come in pieces |
| `api/` | one blueprint per kind of thing |
| `server.py` | the process: web server, postman, worker |
"""
