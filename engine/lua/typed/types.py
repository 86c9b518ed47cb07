"""The grammar of type expressions: finds where one ends; what it means is of no interest.

Recursive, with a bound on nesting. There is no alternative that is tried again, so the time is linear.
"""

from __future__ import annotations

from engine.lua.typed.tokens import Kind, Token

MAX_DEPTH = 64
NOT_TYPE_NAMES = frozenset({"as", "is", "extends"})


class TypeSyntaxError(Exception):
    """The tokens are no type expression; `token` is where it went wrong."""

    def __init__(self, message: str, token: Token) -> None:
        super().__init__(message)
        self.token = token


class TypeParser:
    """Reads type expressions from `tokens`; each method takes an index and gives the index after what it read.

    `lenient` is for casts, where an operator may follow: a `<` that opens no type arguments ends the type, and a
    parenthesis must hold a function type.
    """

    def __init__(self, tokens: list[Token], *, lenient: bool = False) -> None:
        self._tokens = tokens
        self._lenient = lenient
        self._depth = 0

    def type(self, at: int) -> int:
        """A whole type: operands joined by `|`, `&`, or a conditional."""
        self._enter(at)
        if self._tokens[at].is_("|", "&"):
            at += 1
        at = self._joined(self._operand(at))
        self._depth -= 1
        return at

    def returns(self, at: int) -> int:
        """What follows the `:` of a function's result: types, or a list of them in parentheses."""
        listed = self._tokens[at].is_("(")
        at = self._joined(self._suffixes(self._arrows(self._group(at)))) if listed else self.type(at)
        while self._tokens[at].is_(","):
            at = self.type(at + 1)
        return at

    def generics(self, at: int) -> int:
        """The `<T, K: Bound>` of a declaration, from its `<`."""
        while True:
            at = self._name(at + 1)
            if self._tokens[at].is_(":"):
                at = self.type(at + 1)
            if not self._tokens[at].is_(","):
                return self._expect(at, ">")

    def interface(self, at: int) -> int:
        """An interface statement, from its `interface` to its `end`."""
        at = self._name(at + 1)
        while self._tokens[at].is_(":", ","):
            at = self.type(at + 1)
        while not self._tokens[at].is_("end"):
            if self._tokens[at].is_("function"):
                at = self._group(self._expect_paren(self._name(at + 1)))
                at = self.returns(at + 1) if self._tokens[at].is_(":") else at
            else:
                at = self._field(at)
            at += self._tokens[at].is_(",")
        return at + 1

    # --- operands -----------------------------------------------------------------------------

    def _joined(self, at: int) -> int:
        while self._tokens[at].is_("|", "&"):
            at = self._operand(at + 1)
        return at

    def _operand(self, at: int) -> int:
        at = self._suffixes(self._atom(at))
        if self._is_word(at, "extends"):
            at = self._atom(at + 1)
            at = self._expect(at, "?")
            at = self._expect(self.type(at), ":")
            at = self.type(at)
        return at

    def _suffixes(self, at: int) -> int:
        while True:
            token = self._tokens[at]
            if token.is_("?"):
                at += 1
            elif token.is_("@"):
                at = self._name(at + 1)
                at = self._balanced(at) if self._tokens[at].is_("(") else at
            elif token.is_("["):
                at = at + 1 if self._tokens[at + 1].is_("]") else self.type(at + 1)
                at = self._expect(at, "]")
            else:
                return at

    def _atom(self, at: int) -> int:
        token = self._tokens[at]
        if token.is_("{"):
            return self._record(at)
        if token.is_("("):
            return self._function_or_wrapped(at)
        if token.is_("nil", "true", "false") or token.kind in (Kind.STRING, Kind.NUMBER):
            return at + 1
        if token.is_("-") and self._tokens[at + 1].kind is Kind.NUMBER:
            return at + 2
        if token.kind is Kind.NAME and token.text not in NOT_TYPE_NAMES:
            return self._named(at)
        raise self._error("a type was expected", at)

    def _named(self, at: int) -> int:
        after = self._tokens[at + 1]
        match self._tokens[at].text:
            case "readonly" if after.is_("{"):
                return self._atom(at + 1)
            case "interface" if after.is_("{"):
                return self._record(at + 1)
            case "typeof" | "keyof" if after.is_("("):
                return self._balanced(at + 1)
            case "asserts" if after.kind is Kind.NAME:
                return self.type(at + 3) if self._is_word(at + 2, "is") else at + 2
            case "fun" if after.is_("("):
                at = self._group(at + 1)
                return self.returns(at + 1) if self._tokens[at].is_(":") else at
        return self._plain_name(at)

    def _plain_name(self, at: int) -> int:
        at += 1
        if self._tokens[at].is_(".") and self._tokens[at + 1].kind is Kind.NAME:
            at += 2
        if not self._tokens[at].is_("<"):
            return at
        try:
            return self._arguments(at)
        except TypeSyntaxError:
            if self._lenient:
                return at
            raise

    def _arguments(self, at: int) -> int:
        depth = self._depth
        try:
            at = self.type(at + 1)
            while self._tokens[at].is_(","):
                at = self.type(at + 1)
            return self._expect(at, ">")
        except TypeSyntaxError:
            self._depth = depth
            raise

    # --- functions and records ----------------------------------------------------------------

    def _function_or_wrapped(self, at: int) -> int:
        """`(A, name: B) -> R`, or a type in parentheses of its own."""
        group = self._group(at)
        after = self._arrows(group)
        if self._lenient and after == group and not self._wraps_function(at, after):
            raise self._error("'->' was expected", after)
        return after

    def _arrows(self, at: int) -> int:
        """The results after a parenthesis; a result in parentheses may turn out to be parameters again."""
        while self._tokens[at].is_("->"):
            if not self._tokens[at + 1].is_("("):
                return self.type(at + 1)
            at = self._group(at + 1)
        return at

    def _wraps_function(self, at: int, after: int) -> bool:
        """Whether the parentheses at..after-1 hold an arrow of their own."""
        depth = 0
        for index in range(at, after):
            token = self._tokens[index]
            depth += token.is_("(", "{", "[") - token.is_(")", "}", "]")
            if depth == 1 and token.is_("->"):
                return True
        return False

    def _group(self, at: int) -> int:
        """Parameters or types in parentheses, from the `(`."""
        self._enter(at)
        at += 1
        while not self._tokens[at].is_(")"):
            at = self._parameter(at)
            if not self._tokens[at].is_(","):
                break
            at += 1
        self._depth -= 1
        return self._expect(at, ")")

    def _parameter(self, at: int) -> int:
        if self._tokens[at].is_("..."):
            at += 1
            if self._tokens[at].is_(":"):
                at += 1
            return at if self._tokens[at].is_(")", ",") else self.type(at)
        return self.type(self._label_end(at) or at)

    def _label_end(self, at: int) -> int:
        """The index after `name:` or `name?:`; 0 when there is none."""
        if self._tokens[at].kind is not Kind.NAME:
            return 0
        at += 1
        if self._tokens[at].is_("?") and self._tokens[at + 1].is_(":"):
            at += 1
        return at + 1 if self._tokens[at].is_(":") else 0

    def _record(self, at: int) -> int:
        """`{}`, `{T}`, `{[K]: V}` or `{f: T, g?: T}`, from the `{`."""
        self._enter(at)
        at += 1
        if not self._tokens[at].is_("}"):
            at = self._field(at) if self._starts_field(at) else self.type(at)
        while self._tokens[at].is_(","):
            at += 1
            if self._tokens[at].is_("}"):
                break
            at = self._field(at)
        self._depth -= 1
        return self._expect(at, "}")

    def _starts_field(self, at: int) -> bool:
        if self._is_word(at, "readonly") and self._tokens[at + 1].kind is Kind.NAME:
            return True
        return self._tokens[at].is_("[") or bool(self._label_end(at))

    def _field(self, at: int) -> int:
        if self._is_word(at, "readonly") and not self._label_end(at):
            at += 1
        if self._tokens[at].is_("["):
            at = self._expect(self.type(at + 1), "]")
            return self.type(self._expect(at, ":"))
        after = self._label_end(at)
        if not after:
            raise self._error("a field was expected", at)
        return self.type(after)

    # --- small change -------------------------------------------------------------------------

    def _balanced(self, at: int) -> int:
        """Anything in balanced brackets, from the opening one."""
        depth = 0
        while self._tokens[at].kind is not Kind.END:
            token = self._tokens[at]
            depth += token.is_("(", "{", "[") - token.is_(")", "}", "]")
            at += 1
            if depth == 0:
                return at
        raise self._error("')' was expected", at)

    def _expect(self, at: int, text: str) -> int:
        if not self._tokens[at].is_(text):
            raise self._error(f"'{text}' was expected", at)
        return at + 1

    def _expect_paren(self, at: int) -> int:
        self._expect(at, "(")
        return at

    def _name(self, at: int) -> int:
        if self._tokens[at].kind is not Kind.NAME:
            raise self._error("a name was expected", at)
        return at + 1

    def _is_word(self, at: int, word: str) -> bool:
        return self._tokens[at].kind is Kind.NAME and self._tokens[at].text == word

    def _enter(self, at: int) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(f"types nested deeper than {MAX_DEPTH}", at)

    def _error(self, message: str, at: int) -> TypeSyntaxError:
        token = self._tokens[at]
        return TypeSyntaxError(f"{message} near '{token.text or 'end of source'}'", token)
