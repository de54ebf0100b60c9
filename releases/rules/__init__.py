"""What a method is told: its options, named sets of rules (profiles), and ptables."""
