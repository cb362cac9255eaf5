"""What several tests share: samples, servers, fakes."""
