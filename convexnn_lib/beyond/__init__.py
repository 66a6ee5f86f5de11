"""Beyond the talk: deeper networks, recovery, large steps, limits, and what is hard.

Each module takes up a question that the talk leaves open, with functions that compute
what is known and say what they do not certify.
"""
