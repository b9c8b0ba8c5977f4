"""The page that asks, served on this machine.

A browser is never trusted: it sends a position and an answer, from which the server makes what is kept; image names and paths
do not come from it. Requests for another host name (DNS rebinding), from another site's page, too long or of another form
are refused. On any address but this machine's own a token is needed, which is part of the page's address.
"""

import hmac
import ipaddress
import json
import re
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler

from giqa_lib.checks import InputError, error_line
from giqa_lib.collecting.judgements import Judgements
from giqa_lib.collecting.plan import Question, StudyPlan
from giqa_lib.data import ImageSet, UnreadableImage, encode_png

__all__ = ["Collector"]

PAGE = Path(__file__).with_name("page.html")
SUBJECT = re.compile(r"[A-Za-z0-9_-]{1,40}")
LONGEST_BODY, LONGEST_COMMENT = 4096, 500
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


class Collector:
    """A study on a port: ``plan``'s questions over ``images``, answers to ``judgements``.

    On ``host`` other than this machine's own a token is made, unless one is given. :meth:`start` serves on the running event loop,
    in a notebook the kernel's, until :meth:`stop`.
    """

    def __init__(
        self,
        plan: StudyPlan,
        images: ImageSet,
        judgements: Judgements,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
    ) -> None:
        self.plan, self.images, self.judgements = plan, images, judgements
        self.places = {name: place for place, name in enumerate(images.names)}
        missing = [name for item in plan.items for name in item if name not in self.places]
        if missing:
            hint = "make the plan of these images' names"
            raise InputError(error_line("plan", expected="names of images", got=repr(missing[0]), hint=hint))  # fmt: skip
        self.local = _is_local(host)
        self.token = token or ("" if self.local else secrets.token_urlsafe(16))
        self.host = host
        self._sockets = bind_sockets(port, host)
        self.port = int(self._sockets[0].getsockname()[1])
        self._server: HTTPServer | None = None
        self._questions: dict[str, list[Question]] = {}

    @property
    def address(self) -> str:
        """What to open in a browser."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        query = f"?token={self.token}" if self.token else ""
        return f"http://{host}:{self.port}/{query}"

    def start(self) -> "Collector":
        """Begin to serve."""
        settings: dict[str, Any] = {"collector": self, "compress_response": False}
        handlers = [
            (r"/", _PageHandler),
            (r"/next", _NextHandler),
            (r"/judge", _JudgeHandler),
            (r"/image/([A-Za-z0-9_-]{1,40})/([0-9]{1,9})/([01])", _ImageHandler),
        ]
        self._server = HTTPServer(
            Application(handlers, log_function=lambda handler: None, **settings),
            max_body_size=LONGEST_BODY,
        )
        self._server.add_sockets(self._sockets)
        return self

    def stop(self) -> None:
        """Stop; what was answered is kept."""
        if self._server is not None:
            self._server.stop()
        for socket in self._sockets:  # those that were never served
            socket.close()

    async def close(self) -> None:
        """Stop, and end the connections that browsers keep open; for an event loop that ends too."""
        self.stop()
        if self._server is not None:
            await self._server.close_all_connections()

    def _repr_html_(self) -> str:
        """In a notebook: the page itself."""
        return f'<iframe src="{self.address}" width="100%" height="640" title="Judging images"></iframe>'

    def questions(self, subject: str) -> list[Question]:
        """One subject's questions, dealt once."""
        if subject not in self._questions:
            self._questions[subject] = self.plan.questions(subject)
        return self._questions[subject]

    def state(self, subject: str) -> dict[str, Any]:
        """Where a subject stands, as the page is told it: the next question, or that all are answered."""
        questions, answered = self.questions(subject), self.judgements.answered(subject)
        waiting = [question for question in questions if question.position not in answered]
        told = {"kind": self.plan.kind, "total": len(questions), "answered": len(answered)}
        if not waiting:
            return {**told, "done": True}
        first = waiting[0]
        in_session = [question for question in questions if question.session == first.session]
        return {
            **told,
            "done": False,
            "position": first.position,
            "session": first.session,
            "sessions": self.plan.sessions,
            "opens_session": first is in_session[0],
            "training": first.training,
            "images": len(first.images),
        }

    def take(self, sent: Mapping[str, Any]) -> bool:
        """Keep a browser's answer; False if that question was answered before. Raises HTTPError if it is none."""
        subject, position = _subject(sent.get("subject")), sent.get("position")
        questions = self.questions(subject)
        if not isinstance(position, int) or isinstance(position, bool):
            raise _refused("position: expected a whole number")
        if not 0 <= position < len(questions):
            raise _refused(f"position: expected 0 to {len(questions) - 1}")
        waiting = {q.position for q in questions} - self.judgements.answered(subject)
        if position in waiting and position != min(waiting):
            raise _refused("position: expected the next question")
        question = questions[position]
        seconds = sent.get("seconds")
        timed = isinstance(seconds, int | float) and 0 <= seconds < 86_400
        comment = sent.get("comment", "")
        if not isinstance(comment, str) or len(comment) > LONGEST_COMMENT:
            raise _refused(f"comment: expected text of at most {LONGEST_COMMENT} characters")
        return self.judgements.add(
            subject,
            question,
            self._answer(question, sent.get("answer")),
            seconds=float(seconds) if timed else None,  # type: ignore[arg-type]
            comment="".join(c for c in comment if c.isprintable() or c == "\n"),
        )

    def _answer(self, question: Question, sent: object) -> str:
        if self.plan.kind == "rating":
            if not isinstance(sent, int) or isinstance(sent, bool) or not 1 <= sent <= 5:
                raise _refused("answer: expected a whole number from 1 to 5")
            return str(sent)
        if sent not in ("left", "right"):
            raise _refused("answer: expected left or right")
        return question.images[0 if sent == "left" else 1]

    def picture(self, subject: str, position: int, side: int) -> bytes:
        """The image of a question as PNG: decoded here, so that a browser never sees a file.

        HTTPError 404 if there is none, 410 if it can no longer be read; the page then waits and judges nothing.
        """
        questions = self.questions(subject)
        if position >= len(questions) or side >= len(questions[position].images):
            raise HTTPError(HTTPStatus.NOT_FOUND)
        try:
            image = self.images[self.places[questions[position].images[side]]]
        except UnreadableImage as error:
            raise HTTPError(HTTPStatus.GONE, reason="the image cannot be read") from error
        return encode_png(image)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refused(reason: str) -> HTTPError:
    return HTTPError(HTTPStatus.BAD_REQUEST, reason=reason)


def _subject(sent: object) -> str:
    if not isinstance(sent, str) or not SUBJECT.fullmatch(sent):
        raise _refused("subject: expected 1 to 40 letters, digits, - or _")
    return sent


class _Handler(RequestHandler):
    """What every request must pass."""

    def prepare(self) -> None:
        collector = self.collector
        if collector.local:
            name = urlsplit(f"//{self.request.host}").hostname
            if name not in LOCAL_NAMES and name != collector.host:
                raise HTTPError(HTTPStatus.FORBIDDEN, reason="this page is for this machine only")
        origin = self.request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != self.request.host:
            raise HTTPError(HTTPStatus.FORBIDDEN, reason="asked by another site's page")
        given = self.get_query_argument("token", "")
        if collector.token and not hmac.compare_digest(given.encode(), collector.token.encode()):
            raise HTTPError(HTTPStatus.FORBIDDEN, reason="the token is missing or wrong")

    @property
    def collector(self) -> Collector:
        found: Collector = self.application.settings["collector"]
        return found

    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header(
            "Content-Security-Policy",
            "default-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src 'self'",
        )

    def write_error(self, status_code: int, **details: Any) -> None:
        self.finish({"error": self._reason})


class _PageHandler(_Handler):
    def get(self) -> None:
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(PAGE.read_bytes())


class _NextHandler(_Handler):
    def get(self) -> None:
        self.finish(self.collector.state(_subject(self.get_query_argument("subject", ""))))


class _JudgeHandler(_Handler):
    def post(self) -> None:
        if self.request.headers.get("Content-Type", "").split(";")[0] != "application/json":
            raise HTTPError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, reason="expected application/json")
        try:
            sent = json.loads(self.request.body)
        except (ValueError, RecursionError) as error:
            raise _refused("body: expected JSON") from error
        if not isinstance(sent, dict):
            raise _refused("body: expected a JSON object")
        kept = self.collector.take(sent)
        state = self.collector.state(_subject(sent["subject"]))
        self.set_status(HTTPStatus.OK if kept else HTTPStatus.CONFLICT)
        self.finish({**state, "kept": kept})


class _ImageHandler(_Handler):
    def get(self, subject: str, position: str, side: str) -> None:
        self.set_header("Content-Type", "image/png")
        self.finish(self.collector.picture(subject, int(position), int(side)))
