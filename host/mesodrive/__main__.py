"""`python -m mesodrive` is the command `mesodrive`."""

from mesodrive.cli import main

main()
