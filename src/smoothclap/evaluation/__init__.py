"""Zero-shot evaluation: tasks, metrics, results and report."""
