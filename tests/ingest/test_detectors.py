"""What is taken for personal data, and what only looks like it."""

import base64
import json
from itertools import pairwise

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.detectors import Detector, find
from ingest.detectors.cards import luhn
from ingest.detectors.phones import phone_number

REGIONS = ("US", "GB")


def found(text: str) -> list[tuple[str, str]]:
    encoded = text.encode()
    return [(hit.detector, encoded[hit.start : hit.end].decode()) for hit in find(encoded, REGIONS)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail jane.doe@example.com now", [("email", "jane.doe@example.com")]),
        ("JANE+crm@Sub.Example.co.uk", [("email", "JANE+crm@Sub.Example.co.uk")]),
        ("für müller@büro.de", [("email", "müller@büro.de")]),
        ("<a@b.io>,<c@d.org>", [("email", "a@b.io"), ("email", "c@d.org")]),
        ("call +1 (415) 555-2671 today", [("phone", "+1 (415) 555-2671")]),
        ("call (415) 555-2671 or 415.555.2671", [("phone", "(415) 555-2671"), ("phone", "415.555.2671")]),
        ("ring +49 30 901820", [("phone", "+49 30 901820")]),
        ("ring 020 7946 0958 2 times", [("phone", "020 7946 0958")]),
        ("tel:+14155552671", [("phone", "+14155552671")]),
        ("card 4111 1111 1111 1111 exp 12/27", [("card", "4111 1111 1111 1111")]),
        ("5500-0000-0000-0004", [("card", "5500-0000-0000-0004")]),
        ("378282246310005.", [("card", "378282246310005")]),
        ("4111 1111 1111 1111 12/27", [("card", "4111 1111 1111 1111")]),
        ("%B4111111111111111^DOE/JANE^2712", [("card", "4111111111111111")]),
        ("user=jane%40example.com&x=1", [("email", "jane%40example.com")]),
        ("写信 wang＠qq.com", [("email", "wang＠qq.com")]),
        ("4111\u00a01111\u00a01111\u00a01111", [("card", "4111\u00a01111\u00a01111\u00a01111")]),
        ("4111\u20091111\u20091111\u20091111", [("card", "4111\u20091111\u20091111\u20091111")]),
        ("4111–1111–1111–1111 12/27", [("card", "4111–1111–1111–1111")]),
        ("4111.1111.1111.1111", [("card", "4111.1111.1111.1111")]),
        ("4111 1111 1111 1111 110", [("card", "4111 1111 1111 1111 110")]),
        ('{"card":4111111111111111.0}', [("card", "4111111111111111.0")]),
        ('{"card":-4111111111111111,"n":1}', [("card", "-4111111111111111")]),
        (
            "DE89\u202f3704\u202f0044\u202f0532\u202f0130\u202f00",
            [("iban", "DE89\u202f3704\u202f0044\u202f0532\u202f0130\u202f00")],
        ),
        (
            "+33\u00a01\u00a042\u00a068\u00a053\u00a000",
            [("phone", "+33\u00a01\u00a042\u00a068\u00a053\u00a000")],
        ),
        ("+1–415–555–2671 or 415–555–2671", [("phone", "+1–415–555–2671"), ("phone", "415–555–2671")]),
        ("+1-415-555-2671", [("phone", "+1-415-555-2671")]),
        (r"Name: X\ntel: 4155552671", [("phone", "4155552671")]),
        ("to=jane@example.com;", [("email", "jane@example.com")]),
        ("请联系wang@qq.com谢谢", [("email", "wang@qq.com")]),
        ("“jane@example.com”", [("email", "jane@example.com")]),
        ("?to=%2B14155552671", [("phone", "%2B14155552671")]),
        ("phone: 4155552671", [("phone", "4155552671")]),
        ("fax (212) 555-0111", [("phone", "(212) 555-0111")]),
        ("IBAN DE89 3704 0044 0532 0130 00.", [("iban", "DE89 3704 0044 0532 0130 00")]),
        ("NL91ABNA0417164300", [("iban", "NL91ABNA0417164300")]),
        ("iban: de89370400440532013000", [("iban", "de89370400440532013000")]),
        ("AT61 1904 3002 3457 3201", [("iban", "AT61 1904 3002 3457 3201")]),
        ("SSN 536-90-4399", [("national_id", "536-90-4399")]),
        ("ssn: 536904399", [("national_id", "536904399")]),
        ("NI no. QQ is bad, AB 12 34 56 C is good", [("national_id", "AB 12 34 56 C")]),
        ("SIN 046 454 286", []),  # numbers that begin with 0 are made up
        ("my SIN: 130 692 544", [("national_id", "130 692 544")]),
        ("NIR 2 95 10 99 126 111 93", [("national_id", "2 95 10 99 126 111 93")]),
        ("NIR 295109912611193", [("national_id", "295109912611193")]),
        ("DNI 54362315K, NIE X2482300W", [("national_id", "54362315K"), ("national_id", "X2482300W")]),
        ("CF RCCMNL83S18D969H", [("national_id", "RCCMNL83S18D969H")]),
        ("Steuer-ID 36 574 261 809", [("national_id", "36 574 261 809")]),
        ("BSN 111222333", [("national_id", "111222333")]),
        ("PESEL 44051401359", [("national_id", "44051401359")]),
        ("CPF 390.533.447-05", [("national_id", "390.533.447-05")]),
        ("Aadhaar 2977 8100 4341", [("national_id", "2977 8100 4341")]),
        ("from 81.2.69.142:443", [("ip", "81.2.69.142")]),
        ("81.2.69.142-81.2.69.150", [("ip", "81.2.69.142"), ("ip", "81.2.69.150")]),
        ("[2a01:4f8:c17:b0f::2]:443", [("ip", "2a01:4f8:c17:b0f::2")]),
        ("documentation 203.0.113.9, 2001:db8::1", [("ip", "203.0.113.9"), ("ip", "2001:db8::1")]),
    ],
)
def test_personal_values_are_found_whole(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "order 123456789012",
        "id 550e8400-e29b-41d4-a716-446655440000",
        "at 2026-11-24T02:23:11.123456789Z",
        "at 2026-11-24 02:23:11",
        "v1.2.3-4567890",
        "trace 4bf92f3577b34da6a3ce929d0e0e4736",
        "1732413600000000000 ns",
        "0.4155552671",
        "4111 1111 1111 1112 fails Luhn",
        "0000000000000000",
        "192.168.100.200:8080",
        "3.14159265358979",
        "tokens 6842 cost 0.00126 latency 10200",
        "user@localhost",
        "@decorator(args) def f",
        "12 34 56 78 90 12 34 56",
        "$1,204,555,2671",
        "order 536904399",
        "130 692 544 units",
        "PESEL 44051401358",
        "44051401359",
        "IBAN DE00 3704 0044 0532 0130 00",
        "192.168.1.20 10.0.0.1 127.0.0.1 0.0.0.0 169.254.1.1 100.64.0.1",
        "::1 fe80::1 fd12:3456::1",
        "v8.8.8.8 Chrome/120.0.0.0 foo==1.2.3.4 section 4.3.2.1 1.3.6.1.4.1.311",
        "logo@2x.png lodash@4.17.21 git@github.com:acme/rocket.git next@14.0.0-canary.abc",
        "4006381333931",
        "tracking 7715 3298 4410",
        "task-force disk-usage-report-for-the-month-of-may sk-fade-in-wrapper-component",
        "cursor=eyJpZCI6MTIzfQ.abc",
        "basic authentication, bearer of good news",
        "password=******** token: optional api_key=os.environ['KEY_1']",
        "password: hunter, password: string; password=form.password",
        '{"password": "Required", "passwd": "userPassword", "pwd": "/home/ann", "password": "is too short"}',
        '"password": "<PASSWORD>", "password": "${DB_PASS}", "pwd": "incorrect", password_length: 123456',
        "max_tokens=4096 tokens: 15496995",
        "nextPageToken: EAAaB0NBVVFBQTk3x next_page_token=CAUQAA9xYz12bQ7 eos_token: <|im_end_2|>",
        "time_to_first_token: 0.1234s price_per_token=0.0000025 token: 512",
        "secret: my-tls-cert-2 secret=projects/p1/secrets/db/versions/3 arn:aws:x:eu-1:12:secret:db1-Ab12Cd",
        r"API_KEY=\nDB_PORT=5432\nSECRET_KEY=\n",
        '["the password:", 4111111111111112, "x-api-key:",{"a":1}]',
        r"password:\n  type: string\n  minLength: 12",
        "pass: 14 fail: 2 tests_pass=95.125% pass=31415926",
        "Cookie: theme=dark; consent=1; lang=de-DE",
        "Authorization: required since v2.1.0-beta",
        "http://registry:4873/@scope/pkg@1.2 https://a.example/@jane2024",
        "pages 1200–1250, 12\u00a0345\u00a0678 rows or -4111111111111111 and 4111111111111111.05",
    ],
)
def test_look_alikes_are_left_alone(text: str) -> None:
    assert found(text) == []


def test_a_number_in_several_spellings_has_one_canonical_form() -> None:
    spellings = ["+1 415 555 2671", "(415) 555-2671", "415.555.2671"]
    hits = [find(text.encode(), REGIONS)[0] for text in spellings]
    assert {(hit.detector, hit.canonical) for hit in hits} == {(Detector.PHONE, "+14155552671")}


def test_national_formats_follow_the_projects_regions() -> None:
    assert find(b"ring 030 901820", ("DE",)) != []
    assert find(b"ring 030 901820", ("US",)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"Name:\njohn@x.com\n", ["john@x.com"]),
        (r"{\"to\":\"\\njohn@x.com\"}", ["john@x.com"]),
        (r"\n4111 1111 1111 1111\n", ["4111 1111 1111 1111"]),
        (r"\t+1 415 555 2671\r\n", ["+1 415 555 2671"]),
        (r"\u001f4111111111111111\u001f", ["4111111111111111"]),
        (r"\n@x.com", []),
        (r"\nDE89370400440532013000", ["DE89370400440532013000"]),
        (r"\n81.2.69.142\n", ["81.2.69.142"]),
        (r"\r\n536-90-4399", ["536-90-4399"]),
    ],
)
def test_a_value_right_after_an_escape_is_found_whole(text: str, expected: list[str]) -> None:
    assert [value for _, value in found(text)] == expected


# Written in two parts, so that scanners for leaked keys do not take them for real ones.
LETTERS = "aB3dE5gH7jK9mN1pQ3sT5vW7xY9zA1cD3fG5hJ7kL9"
KEYS = [
    "sk-" + "proj-" + LETTERS,
    "sk-" + "ant-api03-" + LETTERS,
    "sk-" + "th-" + LETTERS,
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ghp" + "_" + LETTERS[:36],
    "github" + "_pat_" + LETTERS,
    "xoxb" + "-123456789012-123456789012-" + LETTERS[:24],
    "sk" + "_live_" + LETTERS[:24],
    "AIza" + LETTERS[:35],
    "glpat" + "-" + LETTERS[:20],
    "npm" + "_" + LETTERS[:36],
    "SK" + "0123456789abcdef" * 2,
    "SG" + "." + LETTERS[:22] + "." + LETTERS + "xy",
    "hf" + "_" + LETTERS[:34],
    "pat" + "-na1-01234567-89ab-cdef-0123-456789abcdef",
    "hvs" + "." + LETTERS[:30],
    "dapi" + "0123456789abcdef" * 2,
    "ATATT3" + LETTERS + LETTERS,
    "dckr" + "_pat_" + LETTERS[:27],
    "sbp" + "_" + "0123456789" * 4,
    "glsa" + "_" + LETTERS[:32] + "_0123abcd",
    "figd" + "_" + LETTERS[:40],
    "abc8Q~" + LETTERS[:34],
    "ntn" + "_" + LETTERS[:36],
]


@pytest.mark.parametrize("key", KEYS, ids=[key[:6] for key in KEYS])
def test_a_key_is_found_by_its_makers_format_and_not_inside_a_word(key: str) -> None:
    assert found(f'the key "{key}", yes') == [("secret", key)]
    assert found(f"\\n{key}") == [("secret", key)]
    assert found(f"x{key}") == []


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("postgresql://app:s3cr3t-pw@db:5432/x", "s3cr3t-pw"),
        ("redis://:hunter2@cache", "hunter2"),
        ("postgres://u:p4ss/w0rd@host/db", "p4ss/w0rd"),
        ("postgres://u:p@ss4@host/db", "p@ss4"),
        (f"api.telegram.org/bot7042318855:AA{LETTERS[:33]}/sendMessage", f"7042318855:AA{LETTERS[:33]}"),
        (f"a.csv?sv=2024-11-04&sig={LETTERS}%3D 201", f"{LETTERS}%3D"),
        (r"Password:\nhunter2x", "hunter2x"),
        (r"Your temporary password:\n\nXk29fLm2\n\nChange it", "Xk29fLm2"),
        (r"password=\r\nabc12345", "abc12345"),
        (r"passwd\t=\tabc12345", "abc12345"),
        (r"password: \u0001abc1234", "abc1234"),
        (r"{\"password\":\"\\nabc123xyz\"}", "abc123xyz"),
        (r"{\\\"password\\\":\\\"abc123xyz\\\"}", "abc123xyz"),
        ("config['password'] = 'hunter22'", "hunter22"),
        ("**Password**: `hunter22`", "hunter22"),
        ('{"http.request.header.x-api-key":["abcdef123456ghijkl"]}', "abcdef123456ghijkl"),
        ('{"password":["hunter22x1"]}', "hunter22x1"),
        ('{"http.request.header.cookie":["theme=dark; sessionid=38afes7a8b"]}', "38afes7a8b"),
        (r"Set-Cookie: sid=a1b2c3d4e5; Path=/\r\nDate: Wed, 25 Nov 2026", "a1b2c3d4e5"),
        ("Authorization: Token 9944b09199c62bcf9418", "9944b09199c62bcf9418"),
        ('{"authorization":["ApiKey 9944b09199c62bcf"]}', "9944b09199c62bcf"),
        ("api_token: abc123def456", "abc123def456"),
        ("sessionToken=abc123def456", "abc123def456"),
        ("X-Amz-Security-Token: IQoJb3JpZ2luX2VjEAo", "IQoJb3JpZ2luX2VjEAo"),
        ("WEBHOOK_SECRET=abc123def456", "abc123def456"),
        ('{"secret":"s3cr3t-99x"}', "s3cr3t-99x"),
        ("SMTP_PASS=hunter2x9", "hunter2x9"),
        (f"Authorization: Bearer {LETTERS}", LETTERS),
        ("authorization: Basic " + base64.b64encode(b"admin:pass").decode(), "YWRtaW46cGFzcw=="),
        ('{"password":"Tr0ub4dor&3!"}', "Tr0ub4dor&3!"),
        ('{"password": "correcthorse"}', "correcthorse"),
        (r"{\"pwd\":\"31415926\"}", "31415926"),
        ("login with password: 31415926", "31415926"),
        ("user=ann&password=mittwochs&next=/", "mittwochs"),
        ("POST /login?passwd=mittwochs HTTP/1.1", "mittwochs"),
        (r"{\"api_key\":\"abc123def456\"}", "abc123def456"),
        ("?api_key=abc123def456&limit=1", "abc123def456"),
        (
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ),
    ],
)
def test_a_secret_is_found_by_what_stands_beside_it(text: str, secret: str) -> None:
    assert found(text) == [("secret", secret)]


@pytest.mark.parametrize("between", [" , ", r"\n", r"\r\n", r"\\n", r"\u000a"])
def test_the_secret_half_of_an_aws_key_is_found_near_it(between: str) -> None:
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    assert [value for _, value in found(f"{KEYS[3]}{between}{secret}")] == [KEYS[3], secret]
    assert [value for _, value in found(f"{KEYS[3]}{between}{secret[1:]}")] == [KEYS[3]]
    assert found(f"digest {secret}") == []


def test_all_of_a_list_and_a_value_with_escapes_in_it_are_found() -> None:
    assert found('{"x-api-key": ["abcdef123456", "abcdef123457"]}') == [
        ("secret", "abcdef123456"),
        ("secret", "abcdef123457"),
    ]
    text = json.dumps({"password": 'Tr0ub"4dor\\&3 '.strip()})
    hits = find(text.encode(), REGIONS)
    assert [text[hit.start : hit.end] for hit in hits] == ["Tr0ub", "4dor", "&3"]
    assert [hit.continues for hit in hits] == [False, True, True]


def test_a_private_key_is_one_value_in_as_many_pieces_as_lines() -> None:
    text = json.dumps("-----BEGIN PRIVATE KEY-----\nMIIEvQIB\nADANBgkq==\n-----END PRIVATE KEY-----")
    hits = find(text.encode(), REGIONS)
    assert [text[hit.start : hit.end] for hit in hits] == ["MIIEvQIB", "ADANBgkq=="]
    assert [hit.continues for hit in hits] == [False, True]
    assert {hit.canonical for hit in hits} == {"MIIEvQIBADANBgkq=="}


def test_a_private_key_that_is_cut_off_ends_with_its_string() -> None:
    inner = json.dumps({"key": "-----BEGIN PRIVATE KEY-----\nMIIEvQIB\nADANB", "word": "untouched"})
    text = json.dumps({"a": inner, "b": "also untouched", "c": "-----END PRIVATE KEY-----"})
    assert [value for _, value in found(text)] == ["MIIEvQIB", "ADANB"]


def test_a_private_key_in_code_is_found_by_its_long_lines() -> None:
    line = (LETTERS * 2)[:64]
    text = f'key = "-----BEGIN PRIVATE KEY-----\\n" +\n  "{line}\\n" +\n  "{line}\\n" + "-----END PRIVATE KEY-----"'
    assert [value for _, value in found(json.dumps(text))] == [line, line]


def test_a_token_is_a_jwt_when_its_header_names_an_algorithm() -> None:
    def encoded(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    token = ".".join((encoded({"alg": "HS256"}), encoded({"sub": "1"}), "c2lnbmF0dXJl"))
    other = ".".join((encoded({"type": "cursor"}), encoded({"sub": "1"}), "c2lnbmF0dXJl"))
    assert found(f"Bearer {token}") == [("jwt", token)]
    assert found(f"page={other}") == []


def test_a_detector_that_is_off_finds_nothing_and_hides_nothing() -> None:
    text = b"postgresql://app:s3cr3t-pw@db.example.com/x"
    everything_else = frozenset(Detector) - {Detector.SECRET}
    assert Detector.SECRET not in {hit.detector for hit in find(text, REGIONS, everything_else)}


def test_groups_of_four_are_aadhaar_by_themselves_only_in_india() -> None:
    assert found("2977 8100 4341") == []
    assert [hit.detector for hit in find(b"2977 8100 4341", ("IN",))] == [Detector.NATIONAL_ID]


REGION_CODES = sorted(phonenumbers.SUPPORTED_REGIONS)


@pytest.mark.parametrize("region", REGION_CODES)
def test_numbers_with_a_calling_code_are_those_of_libphonenumber(region: str) -> None:
    for kind in range(11):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is not None:
            spelled = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
            e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            assert phone_number(spelled, ()) == e164


@given(st.integers(min_value=10**6, max_value=10**13))
def test_a_number_counts_exactly_when_libphonenumber_says_so(digits: int) -> None:
    try:
        valid = phonenumbers.is_valid_number(phonenumbers.parse(f"+{digits}"))
    except phonenumbers.NumberParseException:
        valid = False
    assert bool(phone_number(f"+{digits}", ())) == valid


PIECES = [
    "jane@x.com",
    "+1 415 555 2671",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "536-90-4399",
    "81.2.69.142",
    KEYS[0],
    KEYS[3],
    "postgresql://a:b1c2d3@h",
    'password":"abc123',
    "-----BEGIN PRIVATE KEY-----\n",
    "Authorization: Bearer ",
    "eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
    *["MIIE", "\n", '"', "\\", "é", "系", "\x1f", "x", "7", ".", "-", "/", "@", "😀"],
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join)


@given(TEXTS, st.integers(min_value=1, max_value=3))
def test_hits_never_overlap_nor_cover_what_keeps_json_valid(text: str, depth: int) -> None:
    encoded = text
    for _ in range(depth):
        encoded = json.dumps(encoded, ensure_ascii=False)
    raw = encoded.encode()
    hits = find(raw, ("US", "GB", "IN", "ES"))
    assert all(one.end <= other.start for one, other in pairwise(hits))
    for hit in hits:
        assert 0 <= hit.start < hit.end <= len(raw)
        assert not set(raw[hit.start : hit.end]) & {*range(0x20), *b'"\\'}
        raw[hit.start : hit.end].decode()
    cleaned, position = b"", 0
    for hit in hits:
        cleaned, position = cleaned + raw[position : hit.start] + b"[x]", hit.end
    value: object = (cleaned + raw[position:]).decode()
    for _ in range(depth):
        assert isinstance(value, str)
        value = json.loads(value)


@given(st.text(alphabet="0123456789+-() .@abc/", max_size=80))
def test_hits_lie_in_the_text_in_order_and_apart(text: str) -> None:
    encoded = text.encode()
    hits = find(encoded, REGIONS)
    edges = [edge for hit in hits for edge in (hit.start, hit.end)]
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(encoded) for edge in edges)
    assert all(hit.start < hit.end for hit in hits)


@given(st.integers(min_value=10**11, max_value=10**18))
def test_exactly_one_check_digit_passes_luhn(payload: int) -> None:
    assert sum(luhn(f"{payload}{digit}".encode()) for digit in range(10)) == 1
