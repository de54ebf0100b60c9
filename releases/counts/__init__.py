"""True counts going in: tables from files or from the caseload, their categories and nests."""
