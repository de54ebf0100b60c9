"""What published tables give away: intervals, exact bounds, posterior, and the judgement on them.

Start at `sdc.attack.judge.audit_tables`.
"""
