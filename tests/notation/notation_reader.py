"""Readers of printed formulas, sharing nothing with the writers: text in, numbers out.

Matrix text has true shapes: columns are n×1, rows 1×n, and a product of shapes that do not fit
is an error, so a transpose too many or too few cannot pass.
"""

import math
import re
from dataclasses import replace

import numpy as np
from notation_truth import FUNCTIONS

from pullback.notation.styles import UNICODE

# Unicode with the sizes of 𝟏, I and K shown, so that they can be read without a context
SIZED = replace(
    UNICODE,
    ones="𝟏[{0}]",
    identity="I[{0}]",
    sized_identity="I[{0}]",
    commutation="K[{0}]",
    unit="",
    zero="0[{0},{1}]",
)

RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
TOKENS = {
    "unicode": re.compile(
        r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)|(?P<name>khatri_rao|[A-Za-zσ][A-Za-z0-9]*)"
        r"|(?P<sized>[𝟏IK0]\[[^]]*\])|(?P<raised>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)"
        r"|(?P<mark>_\{[^}]*\}|_[a-z0-9]+)|(?P<op>\^⊙|⁻ᵀ|[-+−⊙⊘⊗/()ᵀ^‖√,;\[\]]))"
    ),
    "ascii": re.compile(
        r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)|(?P<name>khatri_rao|[A-Za-z][A-Za-z0-9]*)"
        r"|(?P<op>\.\*|\./|\.\^|[-+*/()'^,;:\[\]]))"
    ),
}


class Literal(float):
    """A number written in the formula; such a number may be added to every entry anywhere."""


class Loose(np.ndarray):
    """A scalar added to every entry: only an operation entry by entry may take it up."""


def tokens(text, dialect):
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        # a sized symbol begins like a name
        match = re.compile(r"\s*(?P<sized>[𝟏IK0]\[[^]]*\])").match(text, at) or TOKENS[
            dialect
        ].match(text, at)
        assert match, f"cannot read {text[at:]!r}"
        touches = match.start(match.lastgroup) == at  # no space before it
        found.append((match.lastgroup, match[match.lastgroup], touches))
        at = match.end()
    return [*found, ("end", "", False)]


class MatrixReader:
    """Recursive descent over matrix text in Unicode or ASCII."""

    def __init__(self, text, values, sizes, dialect):
        self.tokens = tokens(text, dialect)
        self.at = 0
        self.values, self.sizes = values, sizes
        self.ascii = dialect == "ascii"
        self.minus = "-" if self.ascii else "−"
        self.norms = [False]

    def peek(self):
        return self.tokens[self.at][1]

    def take(self, *expected):
        kind, text, _ = self.tokens[self.at]
        assert not expected or text in expected, f"{text!r} where {expected} should stand"
        self.at += 1
        return kind, text

    def read(self):
        result = self.sum()
        assert self.tokens[self.at][0] == "end", f"left over: {self.tokens[self.at :]}"
        return firm(result)

    def sum(self):
        sign = -1 if self.peek() == self.minus else 1
        if sign < 0:
            self.take()
        total = times(Literal(sign), self.weak())
        while self.peek() in ("+", self.minus):
            _, op = self.take()
            total = plus(total, times(Literal(1 if op == "+" else -1), self.weak()))
        return total

    def weak(self):
        if self.ascii:
            return self.product()
        left = self.product()
        while self.peek() in ("⊙", "⊘", "⊗"):
            _, op = self.take()
            right = self.product()
            if op == "⊗":
                left = np.kron(left, right)
            else:
                left = entrywise(left, right, op == "⊘")
        return left

    def product(self):
        left = self.factor()
        while True:
            op = self.peek()
            kind = self.tokens[self.at][0]
            if op == "/":
                self.take()
                left = times(left, Literal(1 / self.scalar(self.factor())))
            elif self.ascii and op == "*":
                self.take()
                left = times(left, self.factor())
            elif self.ascii and op in (".*", "./"):
                self.take()
                left = entrywise(left, self.factor(), op == "./")
            elif not self.ascii and (
                kind in ("name", "sized", "number")
                or op in ("(", "√", "[")
                or (op == "‖" and not self.norms[-1])
            ):
                left = times(left, self.factor())
            else:
                return left

    def scalar(self, x):
        assert np.ndim(x) == 0, "a vector or matrix where a scalar should stand"
        return x

    def factor(self):
        if self.peek() == "√":
            self.take()
            return math.sqrt(self.scalar(self.primary()))
        base = self.primary()
        while True:
            kind, op, touches = self.tokens[self.at]
            if kind == "mark":
                base = self.places(base, self.take()[1].strip("_{}").split(","))
            elif self.ascii and op == "(" and touches:
                base = self.places(base, self.marks())
            elif op in ("ᵀ", "'"):
                self.take()
                base = np.transpose(base)
            elif op == "⁻ᵀ":
                self.take()
                base = np.linalg.inv(base).T
            elif kind == "raised":
                self.take()
                base = raised(base, int(op.translate(RAISED)))
            elif op in ("^⊙", ".^"):
                self.take()
                base = np.asarray(base) ** np.asarray(self.primary())
            elif op == "^":
                self.take()
                base = raised(base, self.primary())
            else:
                return base

    def marks(self):
        """The indices of an ASCII slice."""
        self.take("(")
        marks, depth = [""], 0
        while depth or self.peek() != ")":
            text = self.take()[1]
            depth += {"(": 1, ")": -1}.get(text, 0)
            marks = [*marks, ""] if text == "," and not depth else [*marks[:-1], marks[-1] + text]
        self.take(")")
        return marks

    def places(self, base, marks):
        """Entries of a vector or a matrix; a single row or column stays one."""
        vector = len(marks) == 1
        assert not vector or 1 in base.shape
        marks = marks if not vector else [*marks, "1"] if base.shape[1] == 1 else ["1", *marks]
        result = base[np.ix_(*(self.place(m, n) for m, n in zip(marks, base.shape, strict=True)))]
        single = [":" not in mark for mark in marks]
        assert all(one == (n == 1) for one, n in zip(single, result.shape, strict=True)) or vector
        return result[0, 0] if all(single) else result

    def place(self, mark, size):
        """The places that an index is, counted from 0."""
        if mark.strip() == ":":
            return range(size)
        first, *rest = (int(self.size(stop.strip())) for stop in mark.split(":"))
        last, step = rest[-1] if rest else first, rest[0] if len(rest) == 2 else 1
        places = [k - 1 for k in range(first, last + (1 if step > 0 else -1), step)]
        assert all(0 <= k < size for k in places), f"{mark} of {size}"
        return places

    def blocks(self):
        rows = [[]]
        while True:
            rows[-1].append(np.atleast_2d(self.sum()))
            op = self.take(",", ";", "]")[1]
            if op == "]":
                return np.block(rows)
            if op == ";":
                rows.append([])

    def primary(self):
        kind, text = self.take()
        if text == "[":
            self.norms.append(False)
            inner = self.blocks()
            self.norms.pop()
            return inner
        if kind == "number":
            return Literal(text)
        if kind == "sized":
            if text[0] == "K":
                return commutation(*(self.sizes[s] for s in text[2:-1]))
            if text[0] == "0":
                return np.zeros([self.size(s) for s in text[2:-1].split(",")])
            size = self.size(text[2:-1])
            return np.ones((size, 1)) if text[0] == "𝟏" else np.eye(size)
        if text == "(":
            self.norms.append(False)
            inner = self.sum()
            self.norms.pop()
            self.take(")")
            return inner
        if text == "‖":
            self.norms.append(True)
            inner = self.sum()
            self.norms.pop()
            self.take("‖")
            return np.sqrt(np.sum(np.square(firm(inner))))
        assert kind == "name", text
        if self.peek() == "(" and self.tokens[self.at][2] and text not in self.values:
            return self.call(text)
        if text in self.values:
            return self.values[text]
        return float(self.sizes[text])

    def size(self, text):
        text = "*".join(text) if text.isalpha() else text  # I_mn is of size m·n
        text = re.sub(r"(?<=[\w)])\s+(?=[\w(])", "*", text.replace("−", "-"))
        return eval(text, {"__builtins__": {}}, dict(self.sizes))

    def call(self, name):
        self.take("(")
        if name in ("vector", "matrix", "eye", "commutation"):
            text = ""
            while self.peek() != ")":
                text += self.take()[1]
            self.take(")")
            parts = text.split(",")
            if name == "vector":
                return np.full((self.size(parts[1]), 1), float(parts[0]))
            if name == "matrix":
                return np.full([self.size(p) for p in parts[1:]], float(parts[0]))
            if name == "eye":
                return np.eye(self.size(parts[0]))
            return commutation(*map(self.size, parts))
        self.norms.append(False)
        arguments = [self.sum()]
        while self.peek() == ",":
            self.take()
            arguments.append(self.sum())
        self.norms.pop()
        self.take(")")
        return called(name, arguments)


NOT_BY_ENTRIES = {"sum", "mean", "norm2", "tr", "vec", "kron", "diag", "det", "inv", "logdet"}


def firm(x):
    assert not isinstance(x, Loose), "a scalar added to a vector or matrix"
    return x


def called(name, arguments):
    """A function's value; one of vectors says so, softmax(H, 2), where it is of rows or columns."""
    by_entries = name not in NOT_BY_ENTRIES
    arguments = [np.asarray(a) if by_entries and np.ndim(a) else firm(a) for a in arguments]
    x = arguments[0]
    for axis, lines in ((1, "columns"), (2, "rows")):
        if name.endswith(lines):
            name, arguments = name.removesuffix(lines), [x, axis]
    if name in ("softmax", "logsumexp"):
        vector = np.ndim(x) == 2 and 1 in x.shape
        assert vector == (len(arguments) == 1)
        if vector:
            y = FUNCTIONS[name](x.ravel())
            return y.reshape(x.shape) if name == "softmax" else y
        by_rows = arguments[1] == 2
        y = FUNCTIONS[name](x if by_rows else x.T)
        y = y if name == "softmax" else y[:, None]
        return y if by_rows else y.T
    special = {
        "sum": np.sum,
        "mean": np.mean,
        "norm2": lambda a: np.sqrt(np.sum(np.square(a))),
        "tr": np.trace,
        "vec": lambda a: a.T.reshape(-1, 1),
        "kron": np.kron,
        "reshape": lambda a, m, n: a.reshape((int(m), int(n)), order="F"),
        "tril": lambda a, k=0: np.tril(a, int(k)),
        "triu": lambda a, k=0: np.triu(a, int(k)),
        "khatri_rao": lambda a, b: np.stack(
            [np.kron(*c) for c in zip(a.T, b.T, strict=True)], axis=1
        ),
        "diag": lambda a: np.diag(a.ravel()) if 1 in a.shape else np.diag(a)[:, None],
        "sqrt": np.sqrt,
        "σ": FUNCTIONS["sigmoid"],
    }
    return special.get(name, FUNCTIONS.get(name))(*arguments)


def commutation(m, n):
    """K with K vec(X) = vec(Xᵀ) for X of shape m×n."""
    k = np.zeros((m * n, m * n))
    for i in range(m):
        for j in range(n):
            k[i * n + j, j * m + i] = 1
    return k


def times(a, b):
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        literal = isinstance(a, Literal) and isinstance(b, Literal)
        return Literal(a * b) if literal else a * b
    assert a.shape[1] == b.shape[0], f"{a.shape} times {b.shape}"
    c = firm(a) @ firm(b)
    return c[0, 0] if c.shape == (1, 1) else c


def plus(a, b):
    for one, other in ((a, b), (b, a)):
        if np.ndim(one) == 0 and np.ndim(other):
            total = one + other
            return total if isinstance(one, Literal) else total.view(Loose)
    assert np.shape(a) == np.shape(b), f"{np.shape(a)} plus {np.shape(b)}"
    literal = isinstance(a, Literal) and isinstance(b, Literal)
    return Literal(a + b) if literal else a + b


def entrywise(a, b, divide):
    if np.ndim(a) and np.ndim(b):
        assert a.shape == b.shape, f"{a.shape} ⊙ {b.shape}"
    a, b = (np.asarray(x) if np.ndim(x) else x for x in (a, b))
    return a / b if divide else np.multiply(a, b)


def raised(base, exponent):
    if np.ndim(base) == 0:
        return base**exponent
    assert base.shape[0] == base.shape[1]
    return np.linalg.matrix_power(base, int(exponent))


def standing(arrays, rows):
    """The arrays as matrices: a vector is a column, or a row if its name is in ``rows``."""
    result = {}
    for name, array in arrays.items():
        array = np.asarray(array, dtype=float)
        if array.ndim == 0:
            result[name] = float(array)
        elif array.ndim == 1:
            result[name] = array[None, :] if name in rows else array[:, None]
        else:
            result[name] = array
    return result


def read_matrix(text, arrays, sizes, rows=(), dialect="unicode"):
    """The value of matrix text."""
    return MatrixReader(text, standing(arrays, rows), sizes, dialect).read()
