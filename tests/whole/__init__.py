"""From a request to a proven environment, the way a user goes: real index, real engine, real installers."""
