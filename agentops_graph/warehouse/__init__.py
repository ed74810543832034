"""What the tables of a warehouse hold, whichever database keeps them, and rows as arrays."""
