"""What takes workflow tasks and function calls from the queues of Temporal."""
