"""A reader of index text: one number for each value of the free letters."""

import re
from itertools import product

import numpy as np
from notation_reader import RAISED, MatrixReader, standing
from notation_truth import FUNCTIONS

TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)|(?P<name>[A-Za-zσδΣ][A-Za-z0-9]*)"
    r"|(?P<sized>[𝟏IK]\[[^]]*\])|(?P<range>_\{[a-z]\d*=1\}\^\{[^}]*\})"
    r"|(?P<mark>_[a-z0-9,]+|_\{[^}]*\})|(?P<raised>⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)"
    r"|(?P<op>\^⊙|⁻ᵀ|[-+−⊙⊘⊗/()ᵀ^‖√,\[\]=≥≤]))"
)
RELATION = {"=": np.equal, "≥": np.greater_equal, "≤": np.less_equal}
VECTOR_FUNCTIONS = ("softmax", "logsumexp", "inv", "det", "logdet")


class Letter:
    """A bound or free index; its range is known from where it stands."""

    def __init__(self, name, size=None):
        self.name, self.size = name, size


def condition(holds):
    """A factor that is 1 or 0; where it is 0, the others of its product have no say."""

    def factor(e):
        return float(holds(e))

    factor.is_condition = True
    return factor


def multiplied(factors, e):
    """The product of factors (with exponents 1 and −1), conditions first."""
    for _, factor in factors:
        if getattr(factor, "is_condition", False) and not factor(e):
            return 0.0
    return np.prod([factor(e) ** sign for sign, factor in factors])


class IndexReader:
    """Reads to closures over an assignment of the letters."""

    def __init__(self, text, arrays, sizes, rows, free, shape):
        self.text, self.arrays, self.sizes, self.rows = text, arrays, sizes, rows
        self.tokens, at = [], 0
        while at < len(text.rstrip()):
            match = TOKEN.match(text, at)
            assert match, f"cannot read {text[at:]!r}"
            start = match.start(match.lastgroup)
            self.tokens.append((match.lastgroup, match[match.lastgroup], start, match.end()))
            at = match.end()
        self.tokens.append(("end", "", len(text), len(text)))
        self.at = 0
        self.free = [Letter(name, size) for name, size in zip(free, shape, strict=True)]
        self.scope = [{letter.name: letter for letter in self.free}]

    def peek(self):
        return self.tokens[self.at][1]

    def take(self, *expected):
        kind, text, *_ = self.tokens[self.at]
        assert not expected or text in expected, f"{text!r} where {expected} should stand"
        self.at += 1
        return kind, text

    def array(self):
        entry = self.sum()
        assert self.tokens[self.at][0] == "end", f"left over: {self.tokens[self.at :]}"
        result = np.zeros([letter.size for letter in self.free])
        for at in product(*(range(letter.size) for letter in self.free)):
            result[at] = entry(dict(zip(self.free, at, strict=True)))
        return result

    def sum(self):
        sign = 1
        if self.peek() == "−":
            self.take()
            sign = -1
        terms = [(sign, self.product())]
        while self.peek() in ("+", "−"):
            _, op = self.take()
            terms.append((1 if op == "+" else -1, self.product()))
        return lambda e: sum(c * term(e) for c, term in terms)

    def product(self):
        factors = [(1, self.factor())]
        while True:
            kind, op, *_ = self.tokens[self.at]
            if op == "/":
                self.take()
                factors.append((-1, self.factor()))
            elif kind in ("name", "number") or op in ("(", "[", "√"):
                factors.append((1, self.factor()))
            else:
                return lambda e: multiplied(factors, e)

    def factor(self):
        if self.peek() == "√":
            self.take()
            inner = self.primary()
            return lambda e: np.sqrt(inner(e))
        if self.peek() == "Σ":
            return self.sigma()
        base = self.primary()
        kind, op, *_ = self.tokens[self.at]
        if kind == "raised":
            self.take()
            exponent = int(op.translate(RAISED))
            return lambda e: base(e) ** exponent
        if op == "^":
            self.take()
            power = self.primary()
            return lambda e: base(e) ** power(e)
        return base

    def over(self):
        """The letters of a sum or a function, with their ranges where they are said."""
        kind, mark = self.take()
        if kind != "range":
            return [Letter(name) for name in split(mark)]
        name, last = re.fullmatch(r"_\{(.*)=1\}\^\{(.*)\}", mark).groups()
        rest = self.over() if self.tokens[self.at][0] == "range" else []
        return [Letter(name, int(self.index(last)({}))), *rest]

    def sigma(self):
        self.take("Σ")
        letters = self.over()
        self.scope.append({**self.scope[-1], **{letter.name: letter for letter in letters}})
        body = self.product()
        self.scope.pop()
        assert all(letter.size for letter in letters), f"an index without a range in {self.text}"

        def total(e):
            ranges = [range(letter.size) for letter in letters]
            return sum(
                body({**e, **dict(zip(letters, at, strict=True))}) for at in product(*ranges)
            )

        return total

    def subscript(self, shape):
        """Letters after an array of this shape; each gets its range."""
        mark = self.take()[1]
        names = mark[2:-1].split(",") if mark.startswith("_{") else split(mark)
        assert len(names) == len(shape), f"{names} on {shape}"
        for name, size in zip(names, shape, strict=True):
            letter = self.scope[-1].get(name)
            if letter is not None:
                letter.size = letter.size or size
        return [self.index(name) for name in names]

    def index(self, text):
        """The number that an index is, counting from 1."""
        spelled = text.replace("−", "-").replace("²", "**2").replace("³", "**3")
        spelled = re.sub(r"(?<=[\w)])\s+(?=[\w(])", "*", spelled)  # what stands side by side
        names = dict(self.scope[-1])

        def number(e):
            values = {name: e[letter] + 1 for name, letter in names.items() if letter in e}
            return eval(spelled, {"__builtins__": {}}, {**self.sizes, **values})

        return number

    def entry(self, array):
        indices = self.subscript(array.shape)

        def at(e):
            place = tuple(index(e) - 1 for index in indices)
            assert all(0 <= k < n for k, n in zip(place, array.shape, strict=True)), place
            return array[place]

        return at

    def relation(self):
        """[i ≥ 2], or None if the bracket holds a matrix."""
        end = next(k for k in range(self.at, len(self.tokens)) if self.tokens[k][1] == "]")
        text = self.text[self.tokens[self.at][2] : self.tokens[end][2]]
        sign = re.search("[=≥≤]", text)
        if not sign:
            return None
        left, right = (self.index(part.strip()) for part in text.split(sign[0]))
        self.at = end + 1
        return condition(lambda e: RELATION[sign[0]](left(e), right(e)))

    def primary(self):
        kind, text = self.take()
        if kind == "number":
            return lambda e: float(text)
        if text == "(":
            inner = self.sum()
            self.take(")")
            return inner
        if text == "[":
            return self.relation() or self.entry(self.matrix("]"))
        assert kind == "name", text
        if text == "δ":
            one, other = (self.scope[-1][name] for name in split(self.take()[1]))
            return condition(lambda e: e[one] == e[other])
        mark, after = self.tokens[self.at], self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        if mark[0] == "range" or (mark[0] == "mark" and after[1] == "(" and after[2] == mark[3]):
            return self.bound_function(text)
        if self.peek() == "(" and self.tokens[self.at][2] == self.tokens[self.at - 1][3]:
            return self.function(text)  # a space before the parenthesis is a product
        if text not in self.arrays:
            return lambda e: float(self.sizes[text])
        array = np.asarray(self.arrays[text], dtype=float)
        return self.entry(array) if array.ndim else lambda e: float(array)

    def matrix(self, stop):
        """Matrix text up to the closing bracket, as an array."""
        start, depth = self.tokens[self.at][2], 0
        while depth or self.peek() != stop:
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(self.take()[1], 0)
        text = self.text[start : self.tokens[self.at][2]]
        self.take(stop)
        return np.asarray(self.whole(text))

    def whole(self, text):
        return MatrixReader(text, standing(self.arrays, self.rows), self.sizes, "unicode").read()

    def function(self, name):
        if name in (*VECTOR_FUNCTIONS, "diag", "tr", "sum"):
            start = self.tokens[self.at][2]
            self.take("(")
            self.matrix_end()
            text = name + self.text[start : self.tokens[self.at - 1][3]]
            array = np.asarray(self.whole(text))
            if array.ndim == 2 and 1 in array.shape:
                array = array.ravel()
            return self.entry(array) if array.ndim else lambda e: float(array)
        self.take("(")
        arguments = [self.sum()]
        while self.peek() == ",":
            self.take()
            arguments.append(self.sum())
        self.take(")")
        apply = FUNCTIONS["sigmoid" if name == "σ" else name]
        return lambda e: float(apply(*(a(e) for a in arguments)))

    def matrix_end(self):
        depth = 1
        while depth:
            depth += {"(": 1, ")": -1}.get(self.take()[1], 0)

    def bound_function(self, name):
        """softmax_k(…)_i: the function of the array that the bracket is over k."""
        letters = self.over()
        self.scope.append({**self.scope[-1], **{letter.name: letter for letter in letters}})
        self.take("(")
        inner = self.sum()
        self.take(")")
        self.scope.pop()
        shape = [letter.size for letter in letters]

        def array(e):
            result = np.zeros(shape)
            for at in product(*map(range, shape)):
                result[at] = inner({**e, **dict(zip(letters, at, strict=True))})
            return np.asarray(FUNCTIONS[name](result))

        if self.tokens[self.at][0] != "mark":
            return lambda e: float(array(e))
        picked = self.subscript(shape)
        return lambda e: array(e)[tuple(index(e) - 1 for index in picked)]


def split(mark):
    marks = mark.removeprefix("_")
    return marks.split(",") if "," in marks else re.findall(r"[a-z]\d*", marks)


def read_index(text, arrays, sizes, free, shape, rows=()):
    """The array whose entries the text gives, over the free letters."""
    return IndexReader(text, arrays, sizes, rows, free, shape).array()
