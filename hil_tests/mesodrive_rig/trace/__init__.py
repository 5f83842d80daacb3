"""From hazards over requirements to tests: `make trace`, and what docs/safety says about it."""
