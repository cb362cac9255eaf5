"""The probe, which runs inside an environment, and the judge of its answer."""
