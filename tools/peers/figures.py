"""What the programs of this folder share: a spread of ratios, and figures as JSON for `echolabel bench --peers --json`."""

import json
import pathlib
import statistics


def spread(ratios):
    """Median, least and most of the rounds' ratios; above 1 ours is faster."""
    return {"median": statistics.median(ratios), "least": min(ratios), "most": max(ratios)}


def told(ratios):
    """The same in words."""
    own = spread(ratios)
    return f"{own['median']:.2f} ({own['least']:.2f} to {own['most']:.2f})"


def write(path, figures):
    """Writes `figures` to the file `path`, where one is given."""
    if path:
        pathlib.Path(path).write_text(json.dumps(figures, indent=2) + "\n")
