"""How motion does, measured at the pins of the emulated chip: `make bench-motion`."""
