"""Measured utility: what protection cost, a safe table held against the true one; for the reviewer alone.

Start at `sdc.utility.rows.utility`.
"""
