"""The loop beside the answers: when to train and with what, and the journal of what waits for the store."""
