"""What only a GPU can show, run by `make test-gpu`; without one, each test is skipped and says why."""
