"""Risk rules: which true counts and amounts are a risk as they stand, and why.

Every rule is a frozen spec with ``flags(table) -> Flags``: start at
`sdc.rules.flags`, and at `sdc.rules.flags.apply_rules` for several at once.
"""
