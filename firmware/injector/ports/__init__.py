"""The only modules that touch a chip; `app` alone imports them."""
