"""What machines ask of processes: whether they live, whether they are ready, and Prometheus's figures."""

from wippy_console.services.monitoring.answers import Answer
from wippy_console.services.monitoring.figures import Collected, Installation, gauge, of_process
from wippy_console.services.monitoring.readiness import OK, Readiness

__all__ = ["OK", "Answer", "Collected", "Installation", "Readiness", "gauge", "of_process"]
