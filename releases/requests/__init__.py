"""The command ``smallarea assess-request``: which step of the five a request for data belongs to."""
