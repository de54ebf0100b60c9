"""The command ``smallarea retention``: what is due in folders of records, and doing it."""
