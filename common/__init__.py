"""The ground every room stands on: faults and errors, progress, keys and draws, shipped data."""
