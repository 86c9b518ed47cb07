"""Erases the types of typed Lua, so that plain Lua 5.4 can compile it; every token keeps its line and column.

One pass over the tokens. A construct is only taken for typed Lua where plain Lua could not stand, except for a
cast by `as` to something that plain Lua might call with (see `_Eraser._cast`).
"""

from __future__ import annotations

import re

from engine.errors import ProgramError
from engine.lua.typed.tokens import Kind, Lines, Token, tokenize
from engine.lua.typed.types import NOT_TYPE_NAMES, TypeParser, TypeSyntaxError

_OPENERS = ("(", "[", "{", "function", "do", "if", "repeat")
_CLOSERS = {")": "(", "]": "[", "}": "{"}
_BLOCKS = ("function", "do", "if", "repeat")
_OPERAND_ENDS = (")", "]", "}", "end", "nil", "true", "false", "...")


def erase(source: str) -> str:
    """`source` with every type blanked by spaces; plain Lua comes back unchanged.

    Raises ProgramError with the line of a type that can't be read.
    """
    eraser = _Eraser(source)
    try:
        eraser.run()
    except TypeSyntaxError as error:
        raise ProgramError(str(error), line=Lines(source).line(error.token.start)) from None
    return eraser.result()


class _Eraser:
    """Walks the tokens; `_operand` is true when the tokens so far end a complete expression."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = tokenize(source)
        self._at = 0
        self._operand = False
        self._before: Token | None = None  # the token before `_at`, unless an erased one
        self._open: list[str] = []
        self._blanks: list[tuple[int, int, str]] = []
        self._types = TypeParser(self._tokens)
        self._as_is_a_name = _uses_as_for_a_name(self._tokens)

    def result(self) -> str:
        """The source with the blanks applied."""
        parts: list[str] = []
        at = 0
        for start, end, first in self._blanks:
            blank = re.sub(r"[^\r\n]", " ", self._source[start:end])
            parts += (self._source[at:start], first, blank[len(first) :])
            at = end
        return "".join(parts) + self._source[at:]

    def run(self) -> None:
        """Read all tokens."""
        while self._tokens[self._at].kind is not Kind.END:
            self._step()

    def _step(self) -> None:
        token = self._tokens[self._at]
        match token.text if token.kind is not Kind.STRING else "":
            case "function":
                self._function()
            case "local":
                self._local()
            case "type" | "interface" if self._begins_declaration():
                self._declaration()
            case "as" if self._begins_cast():
                self._cast()
            case "::":
                self._label_or_cast()
            case "!" if self._operand:
                self._bang()
            case _:
                self._plain(token)

    # --- plain tokens -------------------------------------------------------------------------

    def _plain(self, token: Token) -> None:
        self._nest(token)
        self._operand = token.kind in (Kind.NAME, Kind.NUMBER, Kind.STRING, Kind.ODD) or token.is_(*_OPERAND_ENDS)
        self._before = token
        self._at += 1

    def _nest(self, token: Token) -> None:
        if token.is_(*_OPENERS):
            self._open.append(token.text)
        elif token.is_("end", "until"):
            if self._open and self._open[-1] in _BLOCKS:
                self._open.pop()
        elif token.is_(*_CLOSERS) and self._open and self._open[-1] == _CLOSERS[token.text]:
            self._open.pop()

    def _in_block(self) -> bool:
        return not self._open or self._open[-1] in _BLOCKS

    def _accept(self, *texts: str) -> bool:
        """Take the next token as plain Lua when it is one of `texts`."""
        found = self._tokens[self._at].is_(*texts)
        if found:
            self._plain(self._tokens[self._at])
        return found

    def _accept_name(self) -> bool:
        found = self._tokens[self._at].kind is Kind.NAME
        if found:
            self._plain(self._tokens[self._at])
        return found

    # --- erasing ------------------------------------------------------------------------------

    def _blank_to(self, end: int, first: str = "") -> None:
        """Blank the tokens up to index `end`, writing `first` at the beginning."""
        self._blanks.append((self._tokens[self._at].start, self._tokens[end - 1].end, first))
        self._at = end

    def _blank_after_operand(self, end: int) -> None:
        """Blank a type that ends an expression or a declaration.

        A parenthesis on the next line begins a statement of its own, and without the type it would be a call.
        """
        last, following = self._tokens[end - 1], self._tokens[end]
        apart = "\n" in self._source[last.end : following.start]
        self._blank_to(end, ";" if apart and following.is_("(") and self._in_block() else "")
        self._operand = True

    def _annotation(self) -> None:
        """The `: T` of a name, if there is one."""
        if self._tokens[self._at].is_(":"):
            self._blank_after_operand(self._types.type(self._at + 1))

    # --- declarations -------------------------------------------------------------------------

    def _local(self) -> None:
        self._plain(self._tokens[self._at])
        while self._accept_name():
            if self._tokens[self._at].is_("<"):
                self._attribute()
            self._annotation()
            if not self._accept(","):
                return

    def _attribute(self) -> None:
        for _ in range(3):  # < name >
            if self._tokens[self._at].kind is not Kind.END:
                self._plain(self._tokens[self._at])
        self._operand = True

    def _function(self) -> None:
        self._plain(self._tokens[self._at])
        while self._accept_name() and self._accept(".", ":"):
            pass
        if self._tokens[self._at].is_("<"):
            self._blank_to(self._types.generics(self._at))
        if self._accept("(") and self._parameters() and self._tokens[self._at].is_(":"):
            self._blank_to(self._types.returns(self._at + 1))
        self._operand = False
        self._before = None

    def _parameters(self) -> bool:
        """The parameters up to the `)`; false when they are not what Lua allows (it will say so itself)."""
        while not self._accept(")"):
            if not self._accept_name() and not self._accept("..."):
                return False
            if self._tokens[self._at].is_("?") and self._tokens[self._at + 1].is_(":"):
                self._blank_to(self._at + 1)
            if self._tokens[self._at].is_(":"):
                self._blank_to(self._types.type(self._at + 1))
            if not self._accept(",") and not self._tokens[self._at].is_(")"):
                return False
        return True

    def _begins_declaration(self) -> bool:
        """Whether `type` or `interface` begins a statement that plain Lua can't have."""
        if not self._in_block() or self._tokens[self._at + 1].kind is not Kind.NAME:
            return False
        if self._tokens[self._at].text == "type" and not self._tokens[self._at + 2].is_("=", "<"):
            return False
        before = self._before
        if before is None or self._operand:
            return before is None or not before.is_("goto")
        return before.is_(";", "do", "then", "else", "repeat", "break", "::")

    def _declaration(self) -> None:
        if self._tokens[self._at].text == "interface":
            end = self._types.interface(self._at)
        else:
            end = self._alias_end(self._at + 2)
        self._blank_to(end, ";")
        self._operand, self._before = False, None

    def _alias_end(self, at: int) -> int:
        if self._tokens[at].is_("<"):
            at = self._types.generics(at)
        if not self._tokens[at].is_("="):
            raise TypeSyntaxError(f"'=' was expected near '{self._tokens[at].text}'", self._tokens[at])
        return self._types.type(at + 1)

    # --- casts --------------------------------------------------------------------------------

    def _begins_cast(self) -> bool:
        """`as` after an operand casts when a type may follow; `as = 1` and `as.x` are plain statements."""
        if not self._operand or self._tokens[self._at - 1].is_("goto"):
            return False
        following = self._tokens[self._at + 1]
        if following.kind is Kind.NAME:
            return following.text not in NOT_TYPE_NAMES
        return following.kind in (Kind.STRING, Kind.NUMBER) or following.is_("nil", "true", "false", "{", "(")

    def _cast(self) -> None:
        """A cast, unless a variable `as` is called: `as {x}`, `as "x"`, `as (x)` could be both.

        In typed Lua `as` is reserved; so a source that uses it as a name anywhere means a call, and so does an
        `as` that begins a line.
        """
        following = self._tokens[self._at + 1]
        could_be_call = following.kind is Kind.STRING or following.is_("{", "(")
        gap = self._source[self._tokens[self._at - 1].end : self._tokens[self._at].start]
        end = None
        if not could_be_call or not (self._as_is_a_name or "\n" in gap):
            end = self._cast_end(must=not could_be_call)
        if end is None:
            self._plain(self._tokens[self._at])
        else:
            self._blank_after_operand(end)

    def _cast_end(self, *, must: bool) -> int | None:
        try:
            return TypeParser(self._tokens, lenient=True).type(self._at + 1)
        except TypeSyntaxError:
            if must:
                raise
            return None

    def _label_or_cast(self) -> None:
        if self._is_label():
            for _ in range(3):
                self._plain(self._tokens[self._at])
            self._operand = False
        elif self._operand:
            self._blank_after_operand(TypeParser(self._tokens, lenient=True).type(self._at + 1))
        else:
            self._plain(self._tokens[self._at])

    def _is_label(self) -> bool:
        """`::name::` is a label, except as a chain of casts `x :: A :: B` where no label can stand."""
        name, close, after, second = (self._token(self._at + i) for i in range(1, 5))
        if name.kind is not Kind.NAME or not close.is_("::"):
            return False
        if not self._operand:
            return True
        if not self._in_block():
            return False
        if after.kind is Kind.NAME and after.text not in ("type", "interface"):
            return second.kind is Kind.STRING or second.is_("=", ",", ".", "[", ":", "(", "{")
        return not after.is_("{", "nil", "true", "false") and after.kind not in (Kind.STRING, Kind.NUMBER)

    def _token(self, at: int) -> Token:
        return self._tokens[min(at, len(self._tokens) - 1)]

    def _bang(self) -> None:
        if self._tokens[self._at + 1].is_("=") and self._tokens[self._at + 1].start == self._tokens[self._at].end:
            self._plain(self._tokens[self._at])
        else:
            self._blank_after_operand(self._at + 1)


def _uses_as_for_a_name(tokens: list[Token]) -> bool:
    """Whether `as` stands somewhere as a variable, not as a cast, a field or a key."""
    start = Token(Kind.OPERATOR, "", 0, 0)
    for before, token, after in zip([start, *tokens], tokens, tokens[1:], strict=False):
        if token.text != "as" or token.kind is not Kind.NAME or before.is_(".", ":", "::"):
            continue
        if before.is_("{", ",", ";") and after.is_("=", ":", "?"):
            continue
        if before.kind in (Kind.OPERATOR, Kind.KEYWORD) and not before.is_(*_OPERAND_ENDS, "!", ">", "?"):
            return True
    return False
