"""From scanner files to a dataset: fMRIPrep derivatives in, a folder of single-trial betas out.

`settings` says how, `files` finds a person's runs, `design` and `estimate` make betas, `regions` says of
which voxels, `responses` what was answered, `person` does all of it for one, `prepare` for everybody, and
`prepared` reads what was written.
"""
