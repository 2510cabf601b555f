"""Where the policy's hidden states come from: one interface, three sources."""
