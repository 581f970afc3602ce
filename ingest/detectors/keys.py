"""API keys and tokens by the formats of their makers."""

import re
from dataclasses import dataclass

from ingest.detectors.edges import WORD, after, before
from ingest.detectors.hit import Check, Detector, Hit, Hits, Trigger


@dataclass(frozen=True, slots=True)
class _Format:
    """Keys that begin with one of the prefixes, followed by at least so many of the characters. Case counts."""

    prefixes: str
    characters: bytes
    least: int

    def triggers(self) -> list[Trigger]:
        return [self._trigger(prefix.encode()) for prefix in self.prefixes.split()]

    def _trigger(self, prefix: bytes) -> Trigger:
        check = _check(re.compile(re.escape(prefix) + self.characters + rb"{%d,}" % self.least))
        pattern = re.escape(prefix) + self.characters + rb"{8}"
        return Trigger(pattern, Detector.SECRET, check, back=len(prefix) + 8)


def _check(shape: re.Pattern[bytes]) -> Check:
    def check(text: bytes, start: int, regions: tuple[str, ...]) -> Hits:
        match = shape.match(text, start)
        if match is None or before(text, start) in WORD or after(text, match.end()) in WORD:
            return ()
        return secret(text, start, match.end()) if _looks_random(match[0]) else ()

    return check


_TELEGRAM = re.compile(rb":AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])")
_AZURE = re.compile(rb"[A-Za-z0-9_.~-]{3}[0-9]Q~[A-Za-z0-9_.~-]{31,34}(?![A-Za-z0-9_~-])")
_SIGNATURE = re.compile(rb"[A-Za-z0-9%+/=_-]{40,}")


def _telegram(text: bytes, colon: int, regions: tuple[str, ...]) -> Hits:
    """A bot's number and token. Addresses have `bot` right before them."""
    window = text[max(0, colon - 12) : colon]
    digits = len(window) - len(window.rstrip(b"0123456789"))
    match = _TELEGRAM.match(text, colon)
    return secret(text, colon - digits, match.end()) if match and 8 <= digits <= 10 else ()


def _azure(text: bytes, start: int, regions: tuple[str, ...]) -> Hits:
    """The secret of an application: three characters, a digit, Q~ and the rest."""
    match = _AZURE.match(text, start)
    return secret(text, start, match.end()) if match and before(text, start) not in WORD else ()


def _signature(text: bytes, start: int, regions: tuple[str, ...]) -> Hits:
    """What lets who has the address in: Azure's sig=, Amazon's and Google's X-...-Signature=."""
    match = _SIGNATURE.match(text, start)
    return secret(text, start, match.end()) if match else ()


def secret(text: bytes, start: int, end: int) -> Hits:
    return (Hit(start, end, Detector.SECRET, text[start:end].decode(errors="replace")),)


_RUN = re.compile(rb"[A-Za-z0-9]{12}")


def _looks_random(key: bytes) -> bool:
    """Keys that share a prefix with words (sk-) have a run of letters and digits with both."""
    if not key.startswith(b"sk-"):
        return True
    return _RUN.search(key) is not None and key.translate(None, b"0123456789") != key


_FORMATS = (
    _Format("sk-", rb"[A-Za-z0-9_-]", 20),  # OpenAI, Anthropic, OpenRouter, Langfuse, this platform
    _Format("ghp_ gho_ ghu_ ghs_ ghr_", rb"[A-Za-z0-9]", 30),  # GitHub
    _Format("github_pat_", rb"[A-Za-z0-9_]", 22),
    _Format("glpat- gldt- glrt- glft- glptt- glagent- glsoat-", rb"[A-Za-z0-9_.-]", 20),  # GitLab
    _Format("xoxa- xoxb- xoxc- xoxd- xoxe- xoxo- xoxp- xoxr- xoxs- xapp-", rb"[A-Za-z0-9%-]", 16),  # Slack
    _Format("sk_live_ sk_test_ rk_live_ rk_test_", rb"[A-Za-z0-9]", 16),  # Stripe
    _Format("whsec_", rb"[A-Za-z0-9+/=]", 24),
    _Format("AIza", rb"[A-Za-z0-9_-]", 35),  # Google
    _Format("GOCSPX- ya29.", rb"[A-Za-z0-9_.-]", 20),
    _Format("npm_", rb"[A-Za-z0-9]", 36),
    _Format("pypi-AgE", rb"[A-Za-z0-9_-]", 50),
    _Format("SK", rb"[0-9a-f]", 32),  # Twilio
    _Format("SG.", rb"[A-Za-z0-9_.-]", 60),  # SendGrid
    _Format("key-", rb"[0-9a-f]", 32),  # Mailgun
    _Format("hf_", rb"[A-Za-z0-9]", 30),  # Hugging Face
    _Format("gsk_", rb"[A-Za-z0-9]", 40),  # Groq
    _Format("xai-", rb"[A-Za-z0-9]", 60),
    _Format("pplx-", rb"[A-Za-z0-9]", 40),  # Perplexity
    _Format("r8_", rb"[A-Za-z0-9]", 37),  # Replicate
    _Format("lsv2_pt_ lsv2_sk_", rb"[a-z0-9_]", 36),  # LangSmith
    _Format("nvapi-", rb"[A-Za-z0-9_-]", 50),
    _Format("tvly-", rb"[A-Za-z0-9-]", 28),  # Tavily
    _Format("pcsk_", rb"[A-Za-z0-9_]", 40),  # Pinecone
    _Format("dop_v1_ doo_v1_ dor_v1_", rb"[a-f0-9]", 60),  # DigitalOcean
    _Format("shpat_ shpca_ shppa_ shpss_", rb"[a-fA-F0-9]", 32),  # Shopify
    _Format("lin_api_ lin_oauth_ ntn_", rb"[A-Za-z0-9]", 32),  # Linear, Notion
    _Format("secret_", rb"[A-Za-z0-9]", 43),  # Notion, before
    _Format("pat-na1- pat-na2- pat-eu1- pat-ap1-", rb"[a-f0-9-]", 36),  # HubSpot
    _Format("hvs. hvb. hvr.", rb"[A-Za-z0-9_-]", 24),  # Vault
    _Format("dapi", rb"[a-f0-9-]", 32),  # Databricks
    _Format("ATATT3 ATCTT3", rb"[A-Za-z0-9_=-]", 50),  # Atlassian
    _Format("ATBB", rb"[A-Za-z0-9]", 28),  # Bitbucket
    _Format("dckr_pat_ dckr_oat_", rb"[A-Za-z0-9_-]", 24),  # Docker
    _Format("sbp_", rb"[a-f0-9]", 40),  # Supabase
    _Format("sb_secret_", rb"[A-Za-z0-9_-]", 20),
    _Format("glsa_ glc_", rb"[A-Za-z0-9_+/=]", 32),  # Grafana
    _Format("figd_ figo_", rb"[A-Za-z0-9_-]", 36),  # Figma
    _Format("phx_", rb"[A-Za-z0-9_-]", 36),  # PostHog
    _Format("sntrys_ sntryu_", rb"[A-Za-z0-9_+/=]", 40),  # Sentry
    _Format("NRAK-", rb"[A-Z0-9]", 27),  # New Relic
    _Format("PMAK-", rb"[a-f0-9-]", 50),  # Postman
    _Format("nfp_", rb"[A-Za-z0-9]", 36),  # Netlify
    _Format("tgp_v1_", rb"[A-Za-z0-9_-]", 36),  # Together
)
TRIGGERS: tuple[Trigger, ...] = (
    *(trigger for keys in _FORMATS for trigger in keys.triggers()),
    Trigger(rb"[0-9]:AA[A-Za-z0-9_-]{8}", Detector.SECRET, _telegram, back=11),
    Trigger(rb"[0-9]Q~[A-Za-z0-9_.~-]{8}", Detector.SECRET, _azure, back=14),
    Trigger(rb"[?&]sig=[A-Za-z0-9%+/]{8}", Detector.SECRET, _signature, back=8),
    Trigger(rb"-signature=[0-9a-f]{8}", Detector.SECRET, _signature, back=8, caseless=True),
)
