"""`make model`."""

import sys

from mesodrive_rig.campaigns.model.stateful import main

if __name__ == "__main__":
    sys.exit(main())
