"""A row's way through the spool: appended, held until duplicates are decided, leased, gone."""
