"""Errors told the way ClickHouse's HTTP interface tells them: a code, a name, a status and a text."""

import re

AUTHENTICATION_FAILED = 516
REQUIRED_PASSWORD = 194
BAD_ARGUMENTS = 36
INCORRECT_DATA = 117
NOT_IMPLEMENTED = 48
SYNTAX_ERROR = 62
TOO_MANY_SIMULTANEOUS_QUERIES = 202
UNKNOWN_EXCEPTION = 1002

# As in ClickHouse's exceptionCodeToHTTPStatus; every other code is a 500.
_STATUS = {
    "401 Unauthorized": (REQUIRED_PASSWORD,),
    "403 Forbidden": (192, 193, AUTHENTICATION_FAILED, 511, 497, 164),
    "400 Bad Request": (
        *(6, 25, 26, 27, 38, 41, 72, 441, 676, 675, 427, 15, 44, 8, 69, SYNTAX_ERROR),
        *(166, 167, 168, 223, 53, 43, 42, INCORRECT_DATA, 36, 456, 457),
    ),
    "404 Not Found": (60, 46, 47, 50, 56, 81, 115, 139, 63, 73, 336, 78, 224),
    "408 Request Timeout": (159,),
    "501 Not Implemented": (NOT_IMPLEMENTED,),
    "503 Service Unavailable": (TOO_MANY_SIMULTANEOUS_QUERIES, 209),
}
_STATUS_OF = {code: status for status, codes in _STATUS.items() for code in codes}
_ENGINE_MESSAGE = re.compile(r"Code: (\d+)\. DB::Exception: .*", re.DOTALL)
_VERSION_SUFFIX = re.compile(r" \(version [\d.]+\)\s*$")


class QueryError(Exception):
    """A query failed; carries ClickHouse's numeric code and full text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text

    @classmethod
    def own(cls, code: int, name: str, message: str) -> "QueryError":
        """An error this server finds itself, in the words the engine would use."""
        return cls(code, f"Code: {code}. DB::Exception: {message}. ({name})")

    @classmethod
    def of_engine(cls, error: Exception) -> "QueryError":
        """The engine's error without what chDB's Python layer puts around it."""
        found = _ENGINE_MESSAGE.search(str(error))
        if not found:
            return cls.own(UNKNOWN_EXCEPTION, "UNKNOWN_EXCEPTION", str(error))
        return cls(int(found[1]), _VERSION_SUFFIX.sub("", found[0]))

    @property
    def status(self) -> str:
        return _STATUS_OF.get(self.code, "500 Internal Server Error")
