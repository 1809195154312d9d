"""Progressive training, the part that is storage and history: thousands of repositories under a quota of disk."""
