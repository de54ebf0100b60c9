"""The command ``smallarea protect``: every method on one table, or on every margin of it.

Start at `releases.protect.onetable.protect`.
"""
