"""`inward report`: one HTML file that a researcher opens first, of evaluations and trainings.

reading    the folders, line by line
rows       one rollout in a few numbers
sections   the summary of an evaluation, or of a step of a training; `figures`: its pictures
pairs      two runs or checkpoints on the same tasks
sample     what is shown where not everything fits
detail     one rollout, as the page shows it
page       the file
assets/    the page's style and script, in plain JavaScript
"""

from inward.report.command import command, write_report

__all__ = ["command", "write_report"]
