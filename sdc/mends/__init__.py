"""What to do about what an attack found: mends that were tried, and what they cost.

Start at `sdc.mends.trying.try_mends`.
"""
