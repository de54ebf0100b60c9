"""The command ``smallarea synth``: made-up extracts."""
