"""What a question is: what entries declare, which question a message answers, and whether one is answered."""
