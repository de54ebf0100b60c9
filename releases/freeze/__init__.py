"""The command ``smallarea freeze``: one pseudonymised extract a quarter, and the record of its keys."""
