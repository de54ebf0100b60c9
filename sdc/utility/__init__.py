"""Measured utility: what protection cost, a safe table held against the true one; for the reviewer alone.

Start at `sdc.utility.rows.utility`; `sdc.utility.imputation` fills hidden cells as
readers do, `sdc.utility.sizes` counts cells by how far they were moved.
"""
