"""The shipping image on an emulated RP2040, with the virtual injector on its pins."""
