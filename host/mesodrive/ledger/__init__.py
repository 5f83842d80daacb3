"""The device's ledger, as fetched: what it says, and whether it is whole. See docs/ledger.md."""

from mesodrive.ledger.rows import Row as Row
from mesodrive.ledger.verify import Head as Head
from mesodrive.ledger.verify import Verdict as Verdict
from mesodrive.ledger.verify import countersign as countersign
from mesodrive.ledger.verify import verify as verify
