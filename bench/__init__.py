"""The benchmark: speed and memory as ratios against plain DuckDB, at national size.  Start it with `make bench`."""
