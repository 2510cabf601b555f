"""What a drawn chart shows: its visible items, texts, marks and table as drawn."""
