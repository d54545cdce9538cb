"""The v3 API of local Arthur: models, inferences and bulk files, as strict as a careful server."""
