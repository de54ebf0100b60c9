"""The command ``smallarea attack``: published tables, ours or anybody's, and what is known of them, as one attack.

Start at `releases.attack.deducing.attack`.
"""
