"""What this host is: GPU, driver, CPU, glibc, engine."""
