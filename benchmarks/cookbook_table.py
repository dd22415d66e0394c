"""Derivatives that books list, as data: function, variable, the book's answer, what is declared.

The numbers in parentheses are the equations of Petersen and Pedersen, *The Matrix Cookbook*
(2012). Shapes are fixed numbers where the formula needs more rows than columns.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """``answer`` is the book's, in the text language; ``declared`` is put before both texts."""

    function: str
    wrt: str
    answer: str
    declared: str = ""
    source: str = ""
    name: str = ""

    @property
    def title(self) -> str:
        number = f"({self.source}) " if self.source else ""
        by = self.wrt.replace(",", "∂")
        return f"{number}{self.name or '∂ ' + self.function.replace(chr(10), '; ') + ' / ∂' + by}"


VECTORS = "a: n, b: n, c: n, x: n, A: n n, B: n n, C: n n, D: n n"
SYMMETRIC = "x: n, b: n, A: n n symmetric, W: n n symmetric"
SQUARE = "X: n n, A: n n, B: n n, C: n n, a: n, b: n, c: n"
CHAIN = "X: n p, A: m n, B: p k, C: m k, a: n, b: p"
TALL = (
    "X: 5 3, A: 5 5, C: 5 5 symmetric, B: 5 5 symmetric, D: 3 3, E: 3 3 symmetric, M: 5 5 symmetric"
)

DETERMINANTS = (
    Row("det(X)", "X", "det(X)*inv(X)'", SQUARE, "49"),
    Row("det(A*X*B)", "X", "det(A*X*B)*inv(X)'", SQUARE, "51"),
    Row("det(X'*A*X)", "X", "2*det(X'*A*X)*inv(X)'", SQUARE, "52"),
    Row("det(X'*M*X)", "X", "2*det(X'*M*X)*M*X*inv(X'*M*X)", TALL, "53"),
    Row(
        "det(X'*A*X)",
        "X",
        "det(X'*A*X)*(A*X*inv(X'*A*X) + A'*X*inv(X'*A'*X))",
        TALL,
        "54",
    ),
    Row("log(det(X'*X))", "X", "2*X*inv(X'*X)", TALL, "55"),
    Row("logdet(X)", "X", "inv(X)'", SQUARE, "57"),
    Row("det(X^2)", "X", "2*det(X^2)*inv(X)'", SQUARE, "58", "∂ det(Xᵏ), k = 2"),
    Row("det(X^3)", "X", "3*det(X^3)*inv(X)'", SQUARE, "58", "∂ det(Xᵏ), k = 3"),
    Row("logdet(X'*X)", "X", "2*X*inv(X'*X)", TALL),
    Row("logdet(X'*C*X)", "X", "2*C*X*inv(X'*C*X)", TALL),
    Row("logdet(A*X*B)", "X", "inv(X)'", SQUARE),
    Row("logdet(A + X)", "X", "inv(A + X)'", SQUARE),
    Row("log(det(S))", "S", "inv(S)", "S: n n posdef"),
    Row("det(inv(X))", "X", "-det(inv(X))*inv(X)'", SQUARE, "62"),
    Row("det(s*X)", "X", "det(s*X)*inv(X)'", SQUARE + "; s:"),
    Row("logdet(s*S)", "s", "n/s", "s: positive, S: n n posdef"),
    Row("det(A + s*B)", "s", "det(A + s*B)*tr(inv(A + s*B)*B)", SQUARE + "; s:", "46"),
)

INVERSES = (
    Row("a'*inv(X)*b", "X", "-inv(X)'*a*b'*inv(X)'", SQUARE, "61"),
    Row("tr(A*inv(X)*B)", "X", "-(inv(X)*B*A*inv(X))'", SQUARE, "63"),
    Row("tr(inv(X + A))", "X", "-(inv(X + A)*inv(X + A))'", SQUARE, "64"),
    Row("tr(inv(X))", "X", "-(inv(X)*inv(X))'", SQUARE),
    Row("b'*inv(S)*b", "S", "-inv(S)*b*b'*inv(S)", "b: n, S: n n symmetric"),
    Row("b'*inv(A)*b", "b", "2*inv(A)*b", SYMMETRIC),
    Row("b'*inv(A)*b", "b", "(inv(A) + inv(A)')*b", SQUARE),
    Row("inv(A + s*B)*b", "s", "-inv(A + s*B)*B*inv(A + s*B)*b", SQUARE + "; s:", "59"),
    Row("tr(inv(A + s*B)*C)", "s", "-tr(inv(A + s*B)*B*inv(A + s*B)*C)", SQUARE + "; s:"),
    Row("tr(inv(X'*C*X)*D)", "X", "-C*X*inv(X'*C*X)*(D + D')*inv(X'*C*X)", TALL, "125"),
    Row(
        "tr(inv(X'*C*X)*(X'*B*X))",
        "X",
        "2*B*X*inv(X'*C*X) - 2*C*X*inv(X'*C*X)*X'*B*X*inv(X'*C*X)",
        TALL,
        "126",
    ),
    Row(
        "tr(inv(E + X'*C*X)*(X'*B*X))",
        "X",
        "2*B*X*inv(E + X'*C*X) - 2*C*X*inv(E + X'*C*X)*X'*B*X*inv(E + X'*C*X)",
        TALL,
        "127",
    ),
)

LINEAR = (
    Row("x'*a", "x", "a", VECTORS, "69"),
    Row("a'*X*b", "X", "a*b'", CHAIN, "70"),
    Row("b'*X'*a", "X", "a*b'", CHAIN, "71"),
    Row("a'*X*a", "X", "a*a'", SQUARE, "72"),
    Row("A*x", "x", "A", "A: m n, x: n"),
    Row("x'*A", "x", "A'", "A: n m, x: n"),
    Row("a*x'*b", "x", "a*b'", VECTORS),
    Row("x .* a", "x", "diag(a)", VECTORS),
    Row("tr(X)", "X", "eye(n)", SQUARE, "99"),
    Row("tr(X*A)", "X", "A'", "X: m n, A: n m", "100"),
    Row("tr(A*X*B)", "X", "A'*B'", "A: m n, X: n p, B: p m", "101"),
    Row("tr(A*X'*B)", "X", "B*A", "A: m n, X: p n, B: p m", "102"),
    Row("tr(X'*A)", "X", "A", "X: m n, A: m n", "103"),
    Row("tr(A*X')", "X", "A", "X: m n, A: m n", "104"),
    Row("sum(X)", "X", "vector(1, n)*vector(1, n)'", SQUARE),
    Row("sum(A*X)", "X", "A'*vector(1, m)*vector(1, p)'", "A: m n, X: n p"),
)

QUADRATIC = (
    Row("sum(x)^2", "x", "2*sum(x)*vector(1, n)", VECTORS),
    Row("sum(X)^2", "X", "2*sum(X)*vector(1, n)*vector(1, n)'", SQUARE, "76"),
    Row("b'*X'*X*c", "X", "X*(b*c' + c*b')", "X: m n, b: n, c: n", "77"),
    Row("(B*x + b)'*C*(D*x + c)", "x", "B'*C*(D*x + c) + D'*C'*(B*x + b)", VECTORS, "78"),
    Row("x'*B*x", "x", "(B + B')*x", VECTORS, "81"),
    Row("b'*X'*D*X*c", "X", "D'*X*b*c' + D*X*c*b'", "X: m n, D: m m, b: n, c: n", "82"),
    Row("(X*b + c)'*D*(X*b + c)", "X", "(D + D')*(X*b + c)*b'", "X: m n, D: m m, b: n, c: m", "83"),
    Row(
        "(x - A*s)'*W*(x - A*s)",
        "s",
        "-2*A'*W*(x - A*s)",
        "x: m, A: m n, s: n, W: m m symmetric",
        "84",
    ),
    Row("(x - s)'*W*(x - s)", "x", "2*W*(x - s)", "x: n, s: n, W: n n symmetric", "85"),
    Row("(x - s)'*W*(x - s)", "s", "-2*W*(x - s)", "x: n, s: n, W: n n symmetric", "86"),
    Row(
        "(x - A*s)'*W*(x - A*s)", "x", "2*W*(x - A*s)", "x: m, A: m n, s: n, W: m m symmetric", "87"
    ),
    Row(
        "(x - A*s)'*W*(x - A*s)",
        "A",
        "-2*W*(x - A*s)*s'",
        "x: m, A: m n, s: n, W: m m symmetric",
        "88",
    ),
    Row("a'*X^2*b", "X", "a*b'*X' + X'*a*b'", SQUARE, "91", "∂ aᵀ Xⁿ b / ∂X, n = 2"),
    Row(
        "a'*X^3*b",
        "X",
        "a*b'*(X^2)' + X'*a*b'*X' + (X^2)'*a*b'",
        SQUARE,
        "91",
        "∂ aᵀ Xⁿ b / ∂X, n = 3",
    ),
    Row("x'*A*x + b'*x", "x", "(A + A')*x + b", VECTORS, "97"),
    Row("x'*A*x + b'*x", "x,x", "A + A'", VECTORS, "98"),
    Row("x'*A*x", "x", "2*A*x", SYMMETRIC),
    Row("x'*A*x", "x,x", "2*A", SYMMETRIC),
    Row("x'*A*x/2 - b'*x", "x", "A*x - b", SYMMETRIC),
    Row(
        "x'*A*x/(x'*x)",
        "x",
        "2*(A*x - (x'*A*x)/(x'*x)*x)/(x'*x)",
        SYMMETRIC,
        "",
        "Rayleigh quotient",
    ),
    Row("b'*x/(c'*x)", "x", "(b - (b'*x)/(c'*x)*c)/(c'*x)", VECTORS),
    Row("x*x'*a", "x", "(a'*x)*eye(n) + x*a'", VECTORS),
    Row("(x'*A*x)^2", "x", "2*(x'*A*x)*(A + A')*x", VECTORS),
)

TRACES = (
    Row("tr(X^2)", "X", "2*X'", SQUARE, "106"),
    Row("tr(X^2*B)", "X", "(X*B + B*X)'", SQUARE, "107"),
    Row("tr(X'*B*X)", "X", "B*X + B'*X", "X: n m, B: n n", "108"),
    Row("tr(B*X*X')", "X", "B*X + B'*X", "X: n m, B: n n", "109"),
    Row("tr(X*X'*B)", "X", "B*X + B'*X", "X: n m, B: n n", "110"),
    Row("tr(X*B*X')", "X", "X*B' + X*B", "X: m n, B: n n", "111"),
    Row("tr(B*X'*X)", "X", "X*B' + X*B", "X: m n, B: n n", "112"),
    Row("tr(X'*X*B)", "X", "X*B' + X*B", "X: m n, B: n n", "113"),
    Row("tr(A*X*B*X)", "X", "A'*X'*B' + B'*X'*A'", "A: n m, X: m n, B: n m", "114"),
    Row("tr(X'*X)", "X", "2*X", "X: m n", "115"),
    Row("tr(B'*X'*C*X*B)", "X", "C'*X*B*B' + C*X*B*B'", "X: m n, B: n p, C: m m", "116"),
    Row("tr(X'*B*X*C)", "X", "B*X*C + B'*X*C'", "X: m n, B: m m, C: n n", "117"),
    Row("tr(A*X*B*X'*C)", "X", "A'*C'*X*B' + C*A*X*B", "A: p m, X: m n, B: n n, C: m p", "118"),
    Row("norm2(A*X*B + C)^2", "X", "2*A'*(A*X*B + C)*B'", CHAIN, "119"),
    Row("tr(X)^2", "X", "2*tr(X)*eye(n)", SQUARE, "120"),
    Row("tr(X^3)", "X", "3*(X^2)'", SQUARE, "121", "∂ tr(Xᵏ), k = 3"),
    Row("tr(X^4)", "X", "4*(X^3)'", SQUARE, "121", "∂ tr(Xᵏ), k = 4"),
    Row("tr(A*X^2)", "X", "(A*X + X*A)'", SQUARE, "122", "∂ tr(A Xᵏ), k = 2"),
    Row("tr(A*X^3)", "X", "(A*X^2 + X*A*X + X^2*A)'", SQUARE, "122", "∂ tr(A Xᵏ), k = 3"),
    Row(
        "tr(B'*X'*C*X*X'*C*X*B)",
        "X",
        "C*X*X'*C*X*B*B' + C'*X*B*B'*X'*C'*X + C*X*B*B'*X'*C*X + C'*X*X'*C'*X*B*B'",
        "X: m n, B: n p, C: m m",
        "123",
    ),
    Row("tr(A*inv(X)*B)", "X", "-inv(X)'*A'*B'*inv(X)'", SQUARE, "124"),
    Row("tr(X'*A*X)", "X", "2*A*X", "X: n m, A: n n symmetric"),
    Row("tr(X .* A)", "X", "eye(n) .* A", SQUARE),
    Row("tr(diag(x)*A)", "x", "diag(A)", VECTORS),
)

NORMS = (
    Row("norm2(x - a)", "x", "(x - a)/norm2(x - a)", VECTORS, "129"),
    Row(
        "(x - a)/norm2(x - a)",
        "x",
        "eye(n)/norm2(x - a) - (x - a)*(x - a)'/norm2(x - a)^3",
        VECTORS,
        "130",
    ),
    Row("norm2(x)^2", "x", "2*x", VECTORS, "131"),
    Row("norm2(X)^2", "X", "2*X", "X: m n", "132"),
    Row("norm2(X)", "X", "X/norm2(X)", "X: m n"),
    Row("norm2(x)", "x,x", "eye(n)/norm2(x) - x*x'/norm2(x)^3", VECTORS),
    Row("x/norm2(x)", "x", "eye(n)/norm2(x) - x*x'/norm2(x)^3", VECTORS, "", "normalised vector"),
    Row("norm2(x)^3", "x", "3*norm2(x)*x", VECTORS),
    Row("norm2(x)^4", "x", "4*norm2(x)^2*x", VECTORS),
    Row("norm1(x)", "x", "sign(x)", VECTORS),
    Row("norm2(A*x)", "x", "A'*A*x/norm2(A*x)", VECTORS),
    Row("1/norm2(x)", "x", "-x/norm2(x)^3", VECTORS),
    Row("log(norm2(x))", "x", "x/norm2(x)^2", VECTORS),
)

MODELS = (
    Row("norm2(A*x - b)^2", "x", "2*A'*(A*x - b)", "A: m n, x: n, b: m", "", "least squares"),
    Row("norm2(A*x - b)^2", "x,x", "2*A'*A", "A: m n, x: n, b: m", "", "least squares, Hessian"),
    Row("norm2(A*x - b)^2", "A", "2*(A*x - b)*x'", "A: m n, x: n, b: m", "", "least squares, by A"),
    Row("norm2(A*x - b)", "x", "A'*(A*x - b)/norm2(A*x - b)", "A: m n, x: n, b: m"),
    Row(
        "norm2(X*w - y)^2/2 + c/2*norm2(w)^2",
        "w",
        "X'*(X*w - y) + c*w",
        "X: n p, w: p, y: n, c:",
        "",
        "ridge regression",
    ),
    Row(
        "norm2(X*w - y)^2/2 + c/2*norm2(w)^2",
        "w,w",
        "X'*X + c*eye(p)",
        "X: n p, w: p, y: n, c:",
        "",
        "ridge regression, Hessian",
    ),
    Row(
        "(X*w - y)'*diag(s)*(X*w - y)",
        "w",
        "2*X'*(s .* (X*w - y))",
        "X: n p, w: p, y: n, s: n",
        "",
        "weighted least squares",
    ),
    Row(
        "norm2(X*W - Y)^2",
        "W",
        "2*X'*(X*W - Y)",
        "X: n p, W: p k, Y: n k",
        "",
        "multivariate regression",
    ),
    Row(
        "sum(log(1 + exp(-y .* (X*w))))",
        "w",
        "-X'*(y .* sigmoid(-y .* (X*w)))",
        "X: n p, w: p, y: n sign",
        "",
        "logistic regression",
    ),
    Row(
        "sum(log(1 + exp(-y .* (X*w))))",
        "w,w",
        "X'*diag(sigmoid(X*w) .* (1 - sigmoid(X*w)))*X",
        "X: n p, w: p, y: n sign",
        "",
        "logistic regression, Hessian",
    ),
    Row(
        "binary_cross_entropy(sigmoid(X*w), y)",
        "w",
        "X'*(sigmoid(X*w) - y)",
        "X: n p, w: p, y: n binary",
        "",
        "cross entropy of a sigmoid",
    ),
    Row("sigmoid(x)", "x", "diag(sigmoid(x) .* (1 - sigmoid(x)))", "x: n"),
    Row("s = sigmoid(t); s", "t,t", "sigmoid(t)*(1 - sigmoid(t))*(1 - 2*sigmoid(t))", "t:"),
    Row("tanh(t)", "t", "1 - tanh(t)^2", "t:"),
    Row("tanh(t)", "t,t", "-2*tanh(t)*(1 - tanh(t)^2)", "t:"),
    Row("softmax(x)", "x", "diag(softmax(x)) - softmax(x)*softmax(x)'", "x: n"),
    Row("cross_entropy(softmax(x), y)", "x", "softmax(x) - y", "x: n, y: n unit-sum"),
    Row(
        "cross_entropy(softmax(W*x), y)",
        "W",
        "(softmax(W*x) - y)*x'",
        "W: m n, x: n, y: m unit-sum",
    ),
    Row("logsumexp(x)", "x", "softmax(x)", "x: n"),
    Row("log(sum(exp(x)))", "x", "exp(x)/sum(exp(x))", "x: n"),
    Row("logsumexp(x)", "x,x", "diag(softmax(x)) - softmax(x)*softmax(x)'", "x: n"),
    Row(
        "log(sum(exp(x)))", "x,x", "diag(exp(x))/sum(exp(x)) - exp(x)*exp(x)'/sum(exp(x))^2", "x: n"
    ),
    Row(
        "-(x - m)'*inv(S)*(x - m)/2 - logdet(S)/2",
        "m",
        "inv(S)*(x - m)",
        "x: n, m: n, S: n n posdef",
        "",
        "Gaussian log-likelihood, mean",
    ),
    Row(
        "-(x - m)'*inv(S)*(x - m)/2 - logdet(S)/2",
        "S",
        "(inv(S)*(x - m)*(x - m)'*inv(S) - inv(S))/2",
        "x: n, m: n, S: n n posdef",
        "",
        "Gaussian log-likelihood, covariance",
    ),
    Row(
        "logdet(P) - (x - m)'*P*(x - m)",
        "P",
        "inv(P) - (x - m)*(x - m)'",
        "x: n, m: n, P: n n posdef",
        "",
        "Gaussian log-likelihood, precision",
    ),
    Row(
        "sqrt((x - m)'*inv(S)*(x - m))",
        "x",
        "inv(S)*(x - m)/sqrt((x - m)'*inv(S)*(x - m))",
        "x: n, m: n, S: n n posdef",
        "",
        "Mahalanobis distance",
    ),
    Row(
        "exp(-norm2(x - m)^2/(2*s^2))",
        "x",
        "-exp(-norm2(x - m)^2/(2*s^2))*(x - m)/s^2",
        "x: n, m: n, s:",
        "",
        "Gaussian kernel",
    ),
    Row(
        "norm2(X - W*W'*X)^2",
        "W",
        "-2*(X*(X - W*W'*X)' + (X - W*W'*X)*X')*W",
        "X: n p, W: n k",
        "",
        "principal components",
    ),
    Row(
        "norm2(X - U*V')^2",
        "U",
        "-2*(X - U*V')*V",
        "X: m n, U: m k, V: n k",
        "",
        "matrix factorisation",
    ),
    Row(
        "norm2(X - U*V')^2",
        "V",
        "-2*(X - U*V')'*U",
        "X: m n, U: m k, V: n k",
        "",
        "matrix factorisation, by V",
    ),
    Row(
        "norm2(M .* (X - U*V'))^2",
        "U",
        "-2*(M .* (X - U*V'))*V",
        "X: m n, U: m k, V: n k, M: m n binary",
        "",
        "matrix completion",
    ),
    Row(
        "h = V*tanh(U*x); norm2(h - y)^2",
        "V",
        "2*(V*tanh(U*x) - y)*tanh(U*x)'",
        "U: m n, V: p m, x: n, y: p",
    ),
    Row(
        "norm2(V*sigmoid(U*x) - y)^2",
        "U",
        "2*((V'*(V*sigmoid(U*x) - y)) .* sigmoid(U*x) .* (1 - sigmoid(U*x)))*x'",
        "U: m n, V: p m, x: n, y: p",
        "",
        "two layers",
    ),
    Row("norm2(relu(W*x) - y)^2/2", "W", "((relu(W*x) - y) .* step(W*x))*x'", "W: m n, x: n, y: m"),
    Row(
        "softmax(K*q)'*v",
        "q",
        "K'*(diag(softmax(K*q)) - softmax(K*q)*softmax(K*q)')*v",
        "K: n d, q: d, v: n",
        "",
        "attention scores",
    ),
    Row("norm2(x - sum(x)/n)^2", "x", "2*(x - sum(x)*vector(1, n)/n)", "x: n", "", "variance"),
    Row(
        "norm2(x - mean(x))^2/n",
        "x",
        "2*(x - mean(x)*vector(1, n))/n",
        "x: n",
        "",
        "variance, mean by name",
    ),
    Row(
        "a'*x/(norm2(a)*norm2(x))",
        "x",
        "a/(norm2(a)*norm2(x)) - (a'*x)*x/(norm2(a)*norm2(x)^3)",
        "a: n, x: n",
        "",
        "cosine",
    ),
    Row("sum(x .* log(x))", "x", "log(x) + 1", "x: n positive", "", "negative entropy"),
    Row("sum(x .* log(x))", "x,x", "diag(1./x)", "x: n positive"),
    Row("sum(sqrt(x))", "x", "1./(2*sqrt(x))", "x: n positive"),
    Row("sum(sqrt(x .^ 2 + e))", "x", "x./sqrt(x.^2 + e)", "x: n, e: positive"),
    Row("sum(abs(x).^3)", "x", "3*x .* abs(x)", "x: n"),
    Row("sum(relu(x).^2)", "x", "2*relu(x)", "x: n"),
    Row("exp(a'*x)", "x", "exp(a'*x)*a", "a: n, x: n"),
    Row("exp(a'*x)", "x,x", "exp(a'*x)*a*a'", "a: n, x: n"),
    Row("sigmoid(a'*x)", "x", "sigmoid(a'*x)*(1 - sigmoid(a'*x))*a", "a: n, x: n"),
    Row("log(a'*x)", "x,x", "-a*a'/(a'*x)^2", "a: n, x: n"),
    Row("-sum(log(b - A*x))", "x", "A'*(1./(b - A*x))", "A: m n, x: n, b: m", "", "log barrier"),
    Row(
        "-sum(log(b - A*x))",
        "x,x",
        "A'*diag(1./(b - A*x).^2)*A",
        "A: m n, x: n, b: m",
        "",
        "log barrier, Hessian",
    ),
    Row("-logdet(X)", "X", "-inv(X)", "X: n n posdef", "", "log-det barrier"),
    Row(
        "sum(relu(1 - y .* (X*w)))",
        "w",
        "-X'*(y .* step(1 - y .* (X*w)))",
        "X: n p, w: p, y: n sign",
        "",
        "hinge loss",
    ),
    Row(
        "norm2(Q*x)^2",
        "x",
        "2*x",
        "Q: n n orthogonal, x: n",
        "",
        "an orthogonal matrix keeps the norm",
    ),
    Row("x'*K*x", "x", "vector(0, n)", "K: n n skew, x: n", "", "quadratic form of a skew matrix"),
)

ROWS = (*DETERMINANTS, *INVERSES, *LINEAR, *QUADRATIC, *TRACES, *NORMS, *MODELS)
