"""What an output holds: runs and their shards, what is left, locks, bags, and whether it all adds up."""
