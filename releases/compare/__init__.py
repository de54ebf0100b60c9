"""The command ``smallarea compare``: methods side by side on one table."""
