"""A session token, had by a login request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from astrio.blocks.errors import ApiAnswerError, CredentialsError
from astrio.blocks.secrets import resolve
from astrio.blocks.tokens import Token, TokenAnswer, TokenAuth, TokenRequest, granted


class LoginAuth(TokenAuth):
    """`{type: login, url: …/login, fields: {user: ada, password: "${env:P}"}, token: data.token}`.

    The token is read from the answer's body (`token`, a dotted path), from a header
    (`token_header`) or from a cookie (`token_cookie`), and sent in `header`, or as that cookie.
    """

    title: ClassVar[str] = "login"
    summary: ClassVar[str] = "A session token that a login request gives."
    secret_fields: ClassVar[tuple[str, ...]] = ("fields",)
    told_apart_by: ClassVar[tuple[str, ...]] = ("type", "url", "account")
    grows_from: ClassVar[tuple[str, ...]] = ("fields",)

    type: Literal["login"] = "login"
    url: str = Field(description="Where to log in.")
    fields: dict[str, str] = Field(min_length=1, description="What is sent: user, password, ...")
    body: Literal["json", "form"] = Field(default="json", description="How it is sent.")
    token: str = Field(default="", description="Dotted path to the token in the answer's body.")
    token_header: str = Field(default="", description="Header of the answer that holds it.")
    token_cookie: str = Field(default="", description="Cookie of the answer that holds it.")
    header: str = Field(default="Authorization", description="Header that it is sent in.")
    scheme: str = Field(default="Bearer", description="The word before it; may be empty.")
    expires_in: float = Field(
        default=0, ge=0, description="Seconds that a session lasts; 0: until it is refused."
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(map(bool, (self.token, self.token_header, self.token_cookie))) != 1:
            raise ValueError("give exactly one of token, token_header and token_cookie")
        return self

    def token_request(self, held: Token | None, now: float) -> TokenRequest:  # noqa: ARG002 (one shape for all)
        """Log in."""
        sent = {name: resolve(value) for name, value in self.fields.items()}
        if self.body == "form":
            return TokenRequest(resolve(self.url), form=sent)
        return TokenRequest(resolve(self.url), json=sent)

    def read_token(self, answer: TokenAnswer, held: Token | None, now: float) -> Token:
        """Find the token."""
        found = self._found(answer)
        if answer.status >= 400:
            raise CredentialsError(
                f"The login was refused ({answer.status}).", advice="Check user and password."
            )
        if not isinstance(found, str | int) or isinstance(found, bool) or not str(found):
            where = self.token or self.token_header or self.token_cookie
            raise ApiAnswerError(
                f"The login's answer ({answer.status}) holds no token at {where}.",
                advice="Check url, fields and where the token is.",
            )
        return granted(str(found), held, now, life=self.expires_in or None)

    def signer(self, token: Token) -> Any:
        """Send the token in its header or cookie."""
        from astrio.blocks.signing import AddCookie, SetHeaders

        if self.token_cookie:
            return AddCookie(self.token_cookie, token.access)
        return SetHeaders({self.header: f"{self.scheme} {token.access}".strip()})

    def _found(self, answer: TokenAnswer) -> Any:
        if self.token_header:
            return answer.headers.get(self.token_header.lower())
        if self.token_cookie:
            return answer.cookies.get(self.token_cookie)
        value = answer.body
        for name in self.token.removeprefix("$.").split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        return value
