"""IP addresses of the public internet, where people are.

Private, loopback, link-local and other special addresses say nothing about a person and are what one debugs
with: they are left alone. Addresses set aside for documentation are found, as the ones that they stand for.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network

from ingest.detectors.edges import ALNUM, WORD, after, before
from ingest.detectors.hit import Detector, Hit, Hits, Trigger

_V4 = re.compile(rb"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9])")
_V6 = re.compile(rb"[0-9a-f]{4}:[0-9a-f:]{2,34}", re.IGNORECASE)
_RUNS_ON_6 = WORD | {ord(":")}
_RANGE = re.compile(rb"\.[0-9]{1,3}-\Z")  # from one address to another
_DOCUMENTATION = tuple(map(IPv4Network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))
_DOCUMENTATION_6 = IPv6Network("2001:db8::/32")
# What stands before four numbers that are a version or a chapter: Chrome/120.0.0.0, foo==1.2.3.4, section 4.3.2.1.
_NUMBERED = re.compile(
    rb"(?:[a-z0-9_]/|[=<>~^]=[ ]?|[~^]"
    rb"|(?:(?<![a-z])|(?<=\x5c[nrt]))v[. ]?"
    rb"|(?<![a-z])(?:ver|versions?|releases?|build|firmware|driver|revision|rev|update|sdk|runtime"
    rb"|sections?|sec|chapter|clauses?|paragraph|table|figure|kapitel|absatz|abschnitt|oid)"
    rb"(?:_?(?:no|number|id|string|version|code))?[\x22':=.# \x5c-]{0,6})\Z",
    re.IGNORECASE,
)


def _v4(text: bytes, at: int, regions: tuple[str, ...]) -> Hits:
    window = text[max(0, at - 13) : at]
    start = at - len(window) + len(window.rstrip(b"0123456789."))
    match = _V4.match(text, start)
    if match is None or not _stands_alone(text, start, match.end()):
        return ()
    address = _v4_address(match[0])
    if address is None or _NUMBERED.search(text[max(0, start - 24) : start]):
        return ()
    return (Hit(start, match.end(), Detector.IP, str(address)),)


def _v6(text: bytes, start: int, regions: tuple[str, ...]) -> Hits:
    match = _V6.match(text, start)
    if match is None or before(text, start) in _RUNS_ON_6 or after(text, match.end()) in WORD:
        return ()
    spelled = match[0]
    if spelled[-1:] == b":" and spelled[-2:] != b"::":  # the colon of the sentence around it
        spelled = spelled[:-1]
    try:
        address = IPv6Address(spelled.decode())
    except AddressValueError:
        return ()
    if not (address.is_global or address in _DOCUMENTATION_6):
        return ()
    return (Hit(start, start + len(spelled), Detector.IP, str(address)),)


def _v4_address(spelled: bytes) -> IPv4Address | None:
    """The public address of that spelling, if it is one."""
    try:
        address = IPv4Address(spelled.decode())
    except AddressValueError:
        return None
    public = address.is_global and not address.is_multicast and not spelled.endswith(b".0.0.0")
    return address if public or any(address in network for network in _DOCUMENTATION) else None


def _stands_alone(text: bytes, start: int, end: int) -> bool:
    """No word, no fifth number, no suffix of a version touches it; a range of addresses may."""
    byte = before(text, start)
    if byte in WORD or byte == 0x2E or (byte == 0x2D and not _RANGE.search(text[start - 5 : start])):
        return False
    following = after(text, end)
    if following in WORD:
        return False
    runs_on = following in b".-" and after(text, end + 1) in ALNUM
    return not runs_on or (following == 0x2D and _V4.match(text, end + 1) is not None)


TRIGGERS = (
    Trigger(rb"\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]", Detector.IP, _v4, back=1),
    # Every address that is routed today begins so: 2000::/3.
    Trigger(rb"[23][0-9a-f]{3}:[0-9a-f:]", Detector.IP, _v6, back=6, caseless=True),
)
