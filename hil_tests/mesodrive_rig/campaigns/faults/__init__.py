"""The faults campaign: each fault in each phase of a session, on the emulated chip."""
