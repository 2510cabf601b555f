"""How near a candidate chart comes to its reference: picture, table, text."""
