"""The simulated services: small processes that behave, and misbehave, like those of a data platform."""
