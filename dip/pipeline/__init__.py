"""One image through the five stages: read → degrade → restore → evaluate → write.

`dip.pipeline.stages.process` is what a worker runs, `dip.pipeline.job` what it is told. Importing the latter
brings no torch.
"""
