"""How many examples a property is looked at with: as many as the profile says, or a share of that.

`steady` is what `make check` takes, `thorough` what `make test` takes besides: five times as many of each.
"""

from hypothesis import HealthCheck, settings


def register() -> None:
    """Make both known, and take `steady`; `pytest --hypothesis-profile=thorough` takes the other.

    A property holds or it does not; how long the machine takes to look is not part of it.
    """
    settings.register_profile("steady", max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("thorough", settings.get_profile("steady"), max_examples=200)
    settings.load_profile("steady")


def share(part: float) -> int:
    """`max_examples` of a property that is dear (less than 1), or whose cases are many (more)."""
    profile = settings.default
    assert profile is not None
    return round(profile.max_examples * part)
