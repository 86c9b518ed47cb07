"""What machines ask of processes: whether they live, whether they are ready, and Prometheus's figures."""
