"""The v3 API's face of local Arthur: models, inferences and bulk files, as strict as a careful server."""
