"""Random texts: bytes, tokens of the grammars, and formulas with something changed."""

from __future__ import annotations

from hostile import ATTACKS, NAMES, NUMBERS, SIZES
from hypothesis import strategies as st

FORMULAS = [
    "norm2(V*sigmoid(U*x) - y)^2",
    "A: m n\nx: n\nf = A*x\nsum(f.^2)/m",
    "x'*A*x + tr(A'*B) - logdet(P)",
    "2 Aᵀ(A x − b) ⊙ diag(x)⁻¹ where b = exp(x)",
    "‖A x − b‖²/(2 m) + λ |w|",
    "np.sum((A @ x - b)**2) / x.shape[0]",
    "np.einsum('ij,jk->ik', A, B).T[0]",
    "h = V @ np.tanh(U @ x); np.mean((h - y)**2, axis=0, keepdims=True)",
    r"\frac{1}{2}\|Ax-b\|_2^2 + \lambda \operatorname{tr}(X^{-1}A^\top)",
    r"\log\det X \\ \left( \mathbf{x}^\top \hat{y}_1 \right) \odot \sqrt{z}",
    "[A, B; C, D]*[x; y] + A(1:2, :)*z(end)",
    "where(x > 0, log(x), x - 1) + max(x, 0.5)",
    "∂f/∂U_ij = 2 Σ_k V_ki (h_k − y_k) g_i (1 − g_i) x_j",
    "δ_ij p_i − p_i p_j",
    "∂f/∂vec(X)ᵀ = (Bᵀ ⊗ A) K_mn + vec(I_m)",
    "S: n n symmetric, p: n positive unit-sum\nS*p % a comment",
]

TOKENS = [
    *("x", "A", "b", "s", "g", "σ", "I", "T", "n", "Σ", "δ", "1", "2", "0.5", "1e3", "-1", "1:3"),
    *("(", ")", "[", "]", "{", "}", "|", "‖", "⟨", "⟩", "'", '"', ",", ";", ":", "\n", " ", "  "),
    *("+", "-", "−", "*", ".*", "/", "./", "^", ".^", "**", "@", ".T", "=", "==", "<", "≤", "≠"),
    *(
        "⊙",
        "⊘",
        "⊗",
        "·",
        "ᵀ",
        "⁻¹",
        "²",
        "⁻ᵀ",
        "√",
        "𝟏",
        "∂",
        "_i",
        "_ij",
        "_{ij}",
        "where",
        "end",
    ),
    *("sin(", "inv(", "sum(", "max(", "norm(", "einsum(", "vec(", "kron(", "eye(", "vector(1, "),
    *("np.", "np.sum(", "axis=0", "keepdims=True", "None", "return ", "lambda ", "symmetric"),
    *(
        "\\frac",
        "\\sqrt",
        "\\left",
        "\\right",
        "\\top",
        "\\operatorname{",
        "\\|",
        "\\\\",
        "^{",
        "_{",
    ),
    *(
        "%",
        "#",
        "...",
        "\t",
        "\0",
        "\u202e",
        "\u0301",
        "🙂",
        "\ufeff",
        "\ue000",
        "\ue004",
        "\ud800",
    ),
]

ALPHABET = sorted({c for text in FORMULAS for c in text} | {c for t in TOKENS for c in t})


@st.composite
def changed(draw: st.DrawFn) -> str:
    """A formula with parts left out, doubled, exchanged or put in from elsewhere."""
    text = draw(st.sampled_from(FORMULAS + NUMBERS + SIZES + ATTACKS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        stop = min(len(text), start + draw(st.integers(0, 6)))
        other = draw(st.sampled_from(FORMULAS))
        there = draw(st.integers(0, len(other)))
        part = draw(
            st.sampled_from(TOKENS + NAMES)
            | st.sampled_from([text[start:stop] * 2, text[start:stop][::-1], ""])
            | st.just(other[there : there + draw(st.integers(0, 12))])
        )
        text = text[:start] + part + text[stop:]
    return text


texts = st.one_of(
    st.binary(max_size=60).map(lambda data: data.decode("utf-8", "surrogateescape")),
    st.text(max_size=60),
    st.text(ALPHABET, max_size=60),
    st.lists(st.sampled_from(TOKENS), max_size=25).map("".join),
    st.lists(st.sampled_from(TOKENS), max_size=25).map(" ".join),
    changed(),
    changed(),
)
