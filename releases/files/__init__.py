"""Files and folders of every command: read with all faults at once, written whole or not at all."""
