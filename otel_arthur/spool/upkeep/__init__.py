"""What an operator sees of the spool and does with it: status, dead letters, ages, destinations."""
