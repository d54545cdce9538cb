"""Messages and choices: from the forms of the conventions and of the providers to ours."""
