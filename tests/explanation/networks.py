"""Networks that the explanation is tried on: a program's text, shapes and what to derive by."""

from pullback.language.parse import parse_program

TWO_LAYERS = (
    "f = U*x + b\ng = sigmoid(f)\nh = V*g + c\nL = norm2(h - y)^2",
    {"U": "mn", "x": "n", "b": "m", "V": "pm", "c": "p", "y": "p"},
)
SOFTMAX = (
    "f = U*x + b\ng = sigmoid(f)\nh = V*g + c\nq = softmax(h)\nL = cross_entropy(q, y)",
    {"U": "mn", "x": "n", "b": "m", "V": "pm", "c": "p", "y": "p"},
)
DEEP = (
    "a = tanh(A*x + b)\nc = relu(C*a + d)\nh = E*c\nL = norm2(h - y)^2/2",
    {"A": "mn", "x": "n", "b": "m", "C": "km", "d": "k", "E": "pk", "y": "p"},
)
RESIDUAL = (
    "f = U*x + b\nr = z + relu(f)\nh = r + W*tanh(V*r)\nL = norm2(h - y)^2",
    {"U": "mn", "x": "n", "b": "m", "z": "m", "V": "km", "W": "mk", "y": "m"},
)
NO_HIDDEN = ("L = norm2(U*x - y)^2 + lam*sum(U.^2)", {"U": "mn", "x": "n", "y": "m", "lam": ""})
PENALTY = (
    "h = V*sigmoid(U*x)\nL = norm2(h - y)^2 + lam*(sum(U.^2) + sum(V.^2))",
    {"U": "mn", "x": "n", "V": "pm", "y": "p", "lam": ""},
)
ATTENTION = (
    "Q = X*A\nK = X*B\nP = softmax(Q*K'/sqrt(d), 2)\nO = P*(X*C)\nL = sum((O - Y).^2)",
    {"X": "td", "A": "dk", "B": "dk", "C": "de", "Y": "te"},
)
GATE = (
    "i = sigmoid(A*x + B*h)\nc = tanh(C*x)\no = i.*c\nL = sum((o - y).^2)",
    {"A": "mn", "x": "n", "B": "mm", "h": "m", "C": "mn", "y": "m"},
)
SHARED = ("h = W*tanh(W*x)\nL = norm2(h - y)^2", {"W": "nn", "x": "n", "y": "n"})
NORMALISED = (
    "f = W*x\na = sum(f)/n\nd = f - a\nv = sum(d.^2)/n\nz = d/sqrt(v + 1)\n"
    "h = V*(k.*z)\nL = norm2(h - y)^2",
    {"W": "nn", "x": "n", "V": "pn", "k": "n", "y": "p"},
)
LOGISTIC = ("z = w'*x\nL = log(1 + exp(-y*z))", {"w": "n", "x": "n", "y": ""})
ROWS = "f = (U*x')'\ng = sigmoid(f)\nh = (V*g')'\nL = norm2(h - y)^2"

EVERY = {
    "two layers": (TWO_LAYERS, "UbVc"),
    "softmax": (SOFTMAX, "UbVc"),
    "deep": (DEEP, "AbCdE"),
    "residual": (RESIDUAL, "UbVW"),
    "no hidden layer": (NO_HIDDEN, "U"),
    "penalty": (PENALTY, "UV"),
    "attention": (ATTENTION, "ABC"),
    "gate": (GATE, "ABC"),
    "shared weight": (SHARED, "W"),
    "normalised": (NORMALISED, "WVk"),
    "logistic": (LOGISTIC, "w"),
}


def program(network, assume=None):
    text, sizes = network
    return parse_program(text, {name: tuple(size) for name, size in sizes.items()}, assume)


def rows():
    return parse_program(ROWS, {"x": (1, "n"), "y": (1, "p"), "U": ("m", "n"), "V": ("p", "m")})
