"""The same jobs in engines that repeat work and lose workers: nothing is paid twice, and nothing is lost."""
