"""Differencing: what zones of one division less zones of another leave, and what two editions of one figure tell.

Start at `sdc.differencing.differences.add_differences` and `sdc.differencing.revisions.audit_revision`.
"""
