"""What a specification may hold, and how it is read before any renderer sees it."""
