"""What a gateway's store tells of it."""
