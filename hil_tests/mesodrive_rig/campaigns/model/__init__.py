"""A stateful model of host × link × device: see docs/safety/campaigns.md and stateful.py."""
