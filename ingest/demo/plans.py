"""What the demo's users pay a month, as the plans API takes it: most bring in more than they cost, some do not."""

from datetime import datetime, timedelta

from traces.span import JSONValue

# By a user's number modulo five; the last group has no plan.
_TIERS = (("Team", "12"), ("Pro", "5"), ("Starter", "2"), ("Pro", "5"), None)
_USERS = range(1000, 1020)


def plans(now: datetime) -> list[dict[str, JSONValue]]:
    """Prices from the first day of the month before."""
    begins = (now.replace(day=1) - timedelta(days=1)).replace(day=1).date().isoformat()
    tiers = ((user, _TIERS[user % len(_TIERS)]) for user in _USERS)
    return [
        {"user_id": f"u-{user}", "monthly_usd": tier[1], "from": begins, "plan": tier[0]}
        for user, tier in tiers
        if tier
    ]
