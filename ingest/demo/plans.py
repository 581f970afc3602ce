"""What the demo's users pay a month, as the plans API takes it: most bring in more than they cost, some do not."""

from datetime import datetime, timedelta

from traces.span import JSONValue

# By the last digit of a user's id, modulo five; the last group has no plan.
_TIERS = (("Team", "12"), ("Pro", "5"), ("Starter", "2"), ("Pro", "5"))
_USERS = range(1000, 1020)


def plans(now: datetime) -> list[dict[str, JSONValue]]:
    """Prices from the first day of the month before."""
    begins = (now.replace(day=1) - timedelta(days=1)).replace(day=1).date().isoformat()
    return [
        {"user_id": f"u-{user}", "monthly_usd": price, "from": begins, "plan": name}
        for user in _USERS
        if (tier := user % (len(_TIERS) + 1)) < len(_TIERS)
        for name, price in _TIERS[tier : tier + 1]
    ]
