"""Beyond the talk: deeper networks, recovery, large steps, and where a flow ends."""
