"""Speed and memory as ratios against bare limits, measured side by side in one run: `python -m bench`."""
