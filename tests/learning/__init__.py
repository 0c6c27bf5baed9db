"""What training a head promises."""
