"""make drill: deliveries flow through the real functions while everything fails; a ledger must balance."""
