# make bench: its programs become prerequisites, and their runs its recipe.
.PHONY: bench
bench: all
