"""What the device did, kept through every power cut: see docs/ledger.md."""

from injector.ledger.ledger import Ledger as Ledger
