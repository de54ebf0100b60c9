"""The command ``smallarea validate-batch``: the share of a batch that meets criteria, and the log that bounds what is told."""
