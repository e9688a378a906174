"""A table of what servers do: each behaviour by its name, and what a fetch has to make of it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.dataset.misbehaving import Behaviour, Talk

WHOLE = ""
"""Instead of a sentence: the archive arrives."""


@dataclass(frozen=True)
class Case:
    """One behaviour, or several servers at once, and what has to come of it."""

    name: str
    servers: tuple[Behaviour, ...]
    sentence: str = WHOLE
    """A regular expression for what the refusal says."""
    plain: bool = False
    """Without TLS."""
    trusted: bool = True
    honest: float = 0.0
    """Seconds that the transfer takes at the servers' honest speed."""


def good(talk: Talk) -> None:
    talk.head()
    talk.body()


def steady(talk: Talk) -> None:
    """Good, and not the fastest."""
    talk.head()
    talk.rest(talk.offset, 800_000)


def answering(status: str, **headers: str) -> Behaviour:
    return lambda talk: talk.head(status, **headers)


def lying(**headers: str) -> Behaviour:
    """The right bytes under a wrong head."""

    def behave(talk: Talk) -> None:
        talk.head(**headers)
        talk.body()

    return behave


def lying_later(**headers: str) -> Behaviour:
    """Half of it, then the wrong head for the rest."""

    def behave(talk: Talk) -> None:
        talk.head(**(headers if talk.offset else {}))
        talk.body(len(talk.content) // 2)

    return behave


def saying(text: str | bytes) -> Behaviour:
    return lambda talk: talk.send(text)


def at_first(count: int, bad: Behaviour, then: Behaviour = good) -> Behaviour:
    """Bad for some requests."""
    return lambda talk: (bad if talk.attempt < count else then)(talk)


def dropping_every(size: int, *, reset: bool = False, head: Callable[[Talk], None] = Talk.head) -> Behaviour:
    def behave(talk: Talk) -> None:
        head(talk)
        talk.body(talk.offset + size)
        if reset:
            talk.reset()

    return behave


def falling_to(rate: float, after: float = 1 / 3) -> Behaviour:
    """Fast for a part of it, then so many bytes a second."""

    def behave(talk: Talk) -> None:
        talk.head()
        fast = int(len(talk.content) * after)
        if talk.offset < fast:
            talk.body(fast)
        talk.rest(fast, rate)

    return behave


def silent(talk: Talk) -> None:
    talk.closing.wait()


def stalling(talk: Talk) -> None:
    talk.head()
    talk.body(len(talk.content) // 2)
    silent(talk)


def truncating(talk: Talk) -> None:
    talk.head()
    talk.body(len(talk.content) * 2 // 3)


def chunked(talk: Talk, size: int = 1000, surplus: bytes = b"") -> None:
    talk.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    whole = talk.content + surplus
    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
    talk.send(b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n")


def chunk_header_drip(talk: Talk) -> None:
    talk.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;")
    talk.drip(b"a", 0.3)


def login_page(content_type: str) -> Behaviour:
    page = "<html>Please log in</html>"
    head = f"HTTP/1.1 200 OK\r\n{content_type}Transfer-Encoding: chunked\r\n\r\n"
    return saying(f"{head}{len(page):x}\r\n{page}\r\n0\r\n\r\n")


def until_it_closes(talk: Talk) -> None:
    talk.send("HTTP/1.0 200 OK\r\n\r\n")
    talk.send(talk.content)


def from_the_beginning(until: float) -> Behaviour:
    """Ranges are ignored; the connection ends at a part of it."""

    def behave(talk: Talk) -> None:
        talk.offset = 0
        talk.head()
        talk.body(int(len(talk.content) * (until if talk.attempt == 0 or until < 0.5 else 1)))

    return behave


def head_in_bytes(talk: Talk) -> None:
    for value in f"HTTP/1.1 200 OK\r\nContent-Length: {len(talk.content)}\r\n\r\n".encode():
        talk.send(bytes([value]))
    talk.body()


def head_drip(talk: Talk) -> None:
    talk.send("HTTP/1.1 200 OK\r\n")
    talk.drip(b"X-Slow: yes\r\n", 0.3)


def early_answers(talk: Talk) -> None:
    while True:
        talk.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        talk.pause(0.3)


def few_early_answers(talk: Talk) -> None:
    talk.send("HTTP/1.1 100 Continue\r\n\r\n" + "HTTP/1.1 103 Early Hints\r\n\r\n" * 3)
    good(talk)


def endless_header(talk: Talk) -> None:
    talk.send("HTTP/1.1 200 OK\r\nX-Long: ")
    while True:
        talk.send(b"a" * 65536)


def slow_redirects(talk: Talk) -> None:
    talk.pause(5)
    talk.head("302 Found", Location="/again")


def wrong(talk: Talk) -> None:
    talk.content = bytes(reversed(talk.content))
    talk.head(ETag="")
    talk.body()


def limited_ranges(talk: Talk) -> None:
    """Never more than 100,000 bytes of a range at once."""
    end, size = min(talk.offset + 100_000, len(talk.content)), len(talk.content)
    span = f"bytes {talk.offset}-{end - 1}/{size}"
    talk.send(f"HTTP/1.1 206 Partial Content\r\nContent-Range: {span}\r\nContent-Length: {end - talk.offset}\r\n\r\n")
    talk.body(end)


def redirect(location: str) -> Behaviour:
    return answering("302 Found", Location=location)


def big_head(talk: Talk) -> None:
    talk.head(X_Big="b" * 60_000)
    talk.body()


def surplus(talk: Talk) -> None:
    good(talk)
    talk.send(b"more than was said" * 1000)


TOO_SLOW = r"sends less than 1,000 bytes a second"
NO_ADDRESS = "leads to an address that is none"
NO_HTTP = "does not speak HTTP as it should"
NO_ANSWER = "did not answer within"
OTHER_PART = "sends another part than it was asked for"
DIGITS = "1" * 30_000
LONG_HOST = "https://" + "a" * 50_000 + ".example/a.tar.gz"


def case(name: str, server: Behaviour, sentence: str = WHOLE, **more: object) -> Case:
    return Case(name, (server,), sentence, **more)


SINGLE = [
    case("good", good),
    case("chunked", chunked),
    case("chunked with more than the file", lambda talk: chunked(talk, 5000, b"x" * 400_000)),
    case("tiny chunks", lambda talk: chunked(talk, 50)),
    case("ends by closing, HTTP/1.0", until_it_closes),
    case("more than it said", surplus),
    case("head in single bytes", head_in_bytes),
    case("few early answers", few_early_answers),
    case("60,000 letters in a header", big_head),
    case("ranges of at most 100 kB", limited_ranges),
    case("Content-Range with an asterisk", dropping_every(200_000, head=lambda talk: star(talk))),
    case("ignores ranges after a cut", from_the_beginning(0.6)),
    case("redirect to its own path", at_first(1, redirect("/other"))),
    case("redirect without a host", at_first(1, redirect("?again=1"))),
    case("503 twice", at_first(2, answering("503 Service Unavailable"))),
    case("429 with Retry-After", at_first(1, answering("429 Too Many Requests", Retry_After="1")), honest=1),
    case("closes before it answers, twice", at_first(2, lambda talk: None)),
    case("closes within the head, twice", at_first(2, saying("HTTP/1.1 200 O"))),
    case("drops every 20 kB", dropping_every(20_000), honest=8),
    case("drops every 200 kB", dropping_every(200_000)),
    case("resets every 100 kB", dropping_every(100_000, reset=True), honest=2),
    case("stalls once", at_first(1, stalling)),
    case("no answer once", at_first(1, silent)),
    case("silent", silent, NO_ANSWER),
    case("accepts and says nothing", silent, "does not answer|stalled|cannot be reached", plain=True),
    case("drips before TLS", lambda talk: talk.drip(b"\x16\x03\x01\x00\xff", 0.3), "localhost ", plain=True),
    case("no TLS at all", saying("HTTP/1.1 200 OK\r\n\r\n"), "cannot be reached", plain=True),
    case("certificate of another authority", good, "has a certificate that cannot be trusted", trusted=False),
    case("head drips", head_drip, NO_ANSWER),
    case("endless early answers", early_answers, NO_ANSWER),
    case("endless header", endless_header, NO_HTTP),
    case("redirects slowly without end", slow_redirects, NO_ANSWER),
    case("10 B/s", falling_to(10, after=0), TOO_SLOW),
    case("500 B/s", falling_to(500, after=0), TOO_SLOW),
    case("10 B/s after a third", falling_to(10), TOO_SLOW + ".*; what came is kept"),
    case("one byte a connection", dropping_every(1), TOO_SLOW + ".*; what came is kept"),
    case("silent after the half", stalling, "stalled.*; what came is kept"),
    case("chunk header drips", chunk_header_drip, "stalled"),
    case("ends at two thirds", truncating, "broke off.*; what came is kept"),
    case("ignores ranges and ends at a third", from_the_beginning(0.33), "broke off"),
    case("404", answering("404 Not Found"), r"answers 404 Not Found\)"),
    case("status without a reason", answering("403"), r"answers 403\)"),
    case("reason of 20,000 letters", answering("404 " + "long \x9b31m" * 2000), r"answers 404 [^)]{1,41}\)"),
    case("500 for ever", answering("500 Oops"), "answers 500 Oops"),
    case("503, Retry-After of 30,000 digits", answering("503 Busy", Retry_After=DIGITS), "answers 503 Busy"),
    case("503, Retry-After 30 for ever", answering("503 Busy", Retry_After="30"), "answers 503", honest=30),
    case("204", answering("204 No Content", Content_Length=""), "answers 204"),
    case("304", answering("304 Not Modified", Content_Length=""), "answers 304"),
    case("416", answering("416 Range Not Satisfiable"), "answers 416"),
    case("101", answering("101 Switching Protocols", Upgrade="x", Connection="upgrade"), "localhost "),
    case("999", answering("999 Much"), "answers 999|does not speak HTTP"),
    case("no HTTP", saying("SSH-2.0-OpenSSH\r\n\r\n"), NO_HTTP),
    case("random bytes", lambda talk: talk.send(talk.content[:5000]), f"{NO_HTTP}|broke off"),
    case("closes at once", lambda talk: None, "broke off"),
    case("Content-Length 17", lying(Content_Length="17"), "has 17 bytes instead of"),
    case("Content-Length of 30,000 digits", lying(Content_Length=DIGITS), "localhost "),
    case("negative Content-Length", lying(Content_Length="-1"), NO_HTTP),
    case("header with a NUL", lying(X_Nul="a\0b"), NO_HTTP),
    case("Content-Range of 30,000 digits", lying_later(Content_Range=f"bytes {DIGITS}-{DIGITS}/{DIGITS}"), OTHER_PART),
    case("another range", lying_later(Content_Range="bytes 0-9/600000"), OTHER_PART),
    case("range of another size", lying_later(Content_Range="bytes 300000-300009/77"), OTHER_PART),
    case("206 without a range", lying_later(Content_Range=""), OTHER_PART),
    case("packed", lying(Content_Encoding="gzip"), "sends the file packed in another way"),
    case("log-in page", login_page("Content-Type: text/html\r\n"), "sends a web page instead of the file"),
    case("log-in page without a type", login_page(""), "has 26 bytes instead of"),
    case("bad chunk", saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), NO_HTTP),
    case("huge chunk", saying(f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{'f' * 900}\r\n"), "localhost "),
    case("redirect to http", redirect("http://localhost/a"), "leads away from https"),
    case("redirect to ftp", redirect("ftp://localhost/a"), "leads away from https"),
    case("redirect without end", redirect("/again"), "redirects without end"),
    case("redirect to 50,000 letters", redirect(LONG_HOST), NO_ADDRESS),
    case("redirect to a label of 70 letters", redirect(f"https://{'b' * 70}.example/"), NO_ADDRESS),
    case("redirect to a bracket", redirect("https://[/a"), NO_ADDRESS),
    case("redirect to nowhere", redirect("https:///"), "localhost "),
    case("redirect to port 99999", redirect("https://localhost:99999/"), "localhost "),
    case("redirect to a closed port", redirect("https://localhost:1/"), "cannot be reached"),
    case("redirect with C1 bytes", redirect("https://\x9b31mhost/"), "localhost "),
    case("wrong bytes", wrong, r"sends other bytes than were published\): [^.]*\.$"),
]

BESIDE_A_GOOD_ONE: list[tuple[str, Behaviour]] = [
    ("10 B/s after more than is measured", falling_to(10, after=0.7)),
    ("1 kB/s after more than is measured", falling_to(1000, after=0.7)),
    ("silent after the half", stalling),
    ("silent", silent),
    ("head drips", head_drip),
    ("endless early answers", early_answers),
    ("redirect to 50,000 letters", redirect(LONG_HOST)),
    ("Content-Range of 30,000 digits", lying_later(Content_Range=f"bytes {DIGITS}-{DIGITS}/{DIGITS}")),
    ("wrong bytes", wrong),
    ("log-in page without a type", login_page("")),
    ("ends at two thirds", truncating),
    ("drops every 20 kB", dropping_every(20_000)),
    ("404", answering("404 Not Found")),
    ("endless header", endless_header),
]

TOGETHER = [
    Case("both drop every 20 kB", (dropping_every(20_000), dropping_every(20_000)), honest=10),
    Case("both fall to 10 B/s", (falling_to(10), falling_to(10)), TOO_SLOW + ".*; .*" + TOO_SLOW),
    Case("both silent after the half", (stalling, stalling), "stalled.*; .*stalled.*; what came is kept"),
    Case("both silent", (silent, silent), f"{NO_ANSWER}.*; .*{NO_ANSWER}"),
    Case("both wrong", (wrong, wrong), "sends other bytes.*; .*sends other bytes"),
    Case("404 and 404", (answering("404 No"), answering("404 No")), "answers 404 No; localhost answers 404 No"),
    Case("a drip, a wrong one, a good one", (falling_to(10, after=0.1), wrong, steady), honest=2),
]

CASES = [
    *SINGLE,
    *(Case(f"{name}, and a good one", (bad, steady), honest=2) for name, bad in BESIDE_A_GOOD_ONE),
    *TOGETHER,
]


def star(talk: Talk) -> None:
    """A right head that does not tell the size of the whole."""
    talk.head(**({"Content_Range": f"bytes {talk.offset}-{len(talk.content) - 1}/*"} if talk.offset else {}))
