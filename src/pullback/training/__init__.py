"""Training: data, mini-batches, optimisers, schedules, the loop, and what it leaves on disk."""
