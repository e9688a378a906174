"""What things are, why they are so and what to try: a lesson for each, as data, with the numbers in hand."""
