"""The page that shows what the sandbox received, and the same as JSON for test harnesses."""
