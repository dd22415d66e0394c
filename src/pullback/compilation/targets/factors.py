"""How targets spell factorisations and what is done with them: solves, inverses, determinants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pullback.compilation.ir import Instruction

SIDES = ("lower", "upper")
Helpers = dict[str, str]


def uses_scipy(i: Instruction) -> bool:
    """Whether NumPy and JAX need SciPy's linalg for an instruction."""
    return i.op in ("factor", "inverse") or (i.op == "solve" and i.name != "general")


def spelled(i: Instruction, operands: Sequence[str], module: str = "np") -> str:
    """The text for NumPy and JAX, of operands that can stand as arguments."""
    first = operands[0]
    match i.op, i.name:
        case "factor", "cholesky":  # the lower factor, as LAPACK has the upper one in memory
            if module == "np":
                return f"linalg.cholesky({first}, check_finite=False).T"
            return f"{module}.linalg.cholesky({first})"
        case "factor", _:
            return f"_lu({first}{'' if i.detail[0] else ', singular=True'})"
        case "inverse", _:
            return f"_inverse_by_{i.name}({first})"
        case "determinant", "cholesky":
            return f"{module}.square({module}.prod({module}.diagonal({first})))"
        case "determinant", _:
            return f"_{'slogdet' if i.detail[0] else 'det'}_by_lu({first})"
    (turned,) = i.detail
    right = operands[1]
    match i.name:
        case "general":
            return f"{module}.linalg.solve({_turned(i, first) if turned else first}, {right})"
        case "lu":
            trans = ", trans=1" if turned else ""
            return f"linalg.lu_solve({first}, {right}{trans}, check_finite=False)"
        case "cholesky":  # by the transposed factor, which LAPACK takes as it lies in memory
            return f"linalg.cho_solve(({first}.T, False), {right}, check_finite=False)"
    lower = i.name == "lower"
    if turned:
        first, lower = _turned(i, first), not lower
    return f"linalg.solve_triangular({first}, {right}, lower={lower}, check_finite=False)"


def _turned(i: Instruction, text: str) -> str:
    """The text of an instruction's matrix, transposed; what is a transpose is turned back."""
    suffix = ".T" if len(i.operands[0].axes) == 2 else ".mT"
    bare = text.removesuffix(suffix)
    if not bare.replace("_", "a").isalnum():
        return f"({text}){suffix}"
    return bare if bare != text else f"{text}{suffix}"


def helpers(instructions: Iterable[Instruction], known: Helpers) -> list[str]:
    """The local functions that the texts of instructions call."""
    found: set[str] = set()
    for i in instructions:
        match i.op, i.name:
            case "factor", "lu":
                found.add("lu")
            case "inverse", _:
                found.add(f"inverse_by_{i.name}")
            case "determinant", "lu":
                found.add("slogdet_by_lu" if i.detail[0] else "det_by_lu")
    lines: list[str] = []
    for name in sorted(found & known.keys()):
        lines += [*known[name].strip("\n").splitlines(), "", ""]
    return lines


NUMPY: Helpers = {
    "lu": """
def _lu(a, singular=False):
    (getrf,) = linalg.get_lapack_funcs(("getrf",), (a,))
    lu, pivots, info = getrf(a)
    if info > 0 and not singular:
        raise np.linalg.LinAlgError("Singular matrix")
    return lu, pivots
""",
    "inverse_by_lu": """
def _inverse_by_lu(lu):
    (getri,) = linalg.get_lapack_funcs(("getri",), lu[:1])
    return getri(*lu, lwork=64 * max(len(lu[0]), 1))[0]
""",
    "inverse_by_cholesky": """
def _inverse_by_cholesky(c):
    (potri,) = linalg.get_lapack_funcs(("potri",), (c,))
    half = potri(c.T, lower=False)[0]  # its upper triangle, zero below
    return half + np.triu(half, 1).T
""",
    **{
        f"inverse_by_{side}": f"""
def _inverse_by_{side}(t):
    (trtri,) = linalg.get_lapack_funcs(("trtri",), (t,))
    inverse, info = trtri(t, lower={side == "lower"})
    if info > 0:
        raise np.linalg.LinAlgError("Singular matrix")
    return inverse
"""
        for side in SIDES
    },
    "det_by_lu": """
def _det_by_lu(lu):
    factors, pivots = lu
    swaps = np.count_nonzero(pivots != np.arange(len(pivots)))
    return np.prod(np.diagonal(factors)) * (1 - 2 * (swaps % 2))
""",
    "slogdet_by_lu": """
def _slogdet_by_lu(lu):
    factors, pivots = lu
    diagonal = np.diagonal(factors)
    swaps = np.count_nonzero(pivots != np.arange(len(pivots)))
    return np.prod(np.sign(diagonal)) * (1 - 2 * (swaps % 2)), np.sum(np.log(np.abs(diagonal)))
""",
}

JAX: Helpers = {
    "lu": """
def _lu(a, singular=False):
    return linalg.lu_factor(a)
""",
    "inverse_by_lu": """
def _inverse_by_lu(lu):
    return linalg.lu_solve(lu, jnp.eye(len(lu[0]), dtype=lu[0].dtype))
""",
    "inverse_by_cholesky": """
def _inverse_by_cholesky(c):
    return linalg.cho_solve((c, True), jnp.eye(len(c), dtype=c.dtype))
""",
    **{
        f"inverse_by_{side}": f"""
def _inverse_by_{side}(t):
    return linalg.solve_triangular(t, jnp.eye(len(t), dtype=t.dtype), lower={side == "lower"})
"""
        for side in SIDES
    },
    **{name: NUMPY[name].replace("np.", "jnp.") for name in ("det_by_lu", "slogdet_by_lu")},
}

TORCH: Helpers = {
    "lu": """
def _lu(a, singular=False):
    return torch.linalg.lu_factor(a)
""",
    "inverse_by_lu": """
def _inverse_by_lu(lu):
    return torch.linalg.lu_solve(*lu, torch.eye(len(lu[0]), dtype=lu[0].dtype, device=lu[0].device))
""",
    **{
        f"inverse_by_{side}": f"""
def _inverse_by_{side}(t):
    one = torch.eye(len(t), dtype=t.dtype, device=t.device)
    return torch.linalg.solve_triangular(t, one, upper={side == "upper"})
"""
        for side in SIDES
    },
    "det_by_lu": """
def _det_by_lu(lu):
    factors, pivots = lu
    places = torch.arange(1, len(pivots) + 1, device=pivots.device)
    return torch.prod(torch.diagonal(factors)) * (1 - 2 * ((pivots != places).sum() % 2))
""",
    "slogdet_by_lu": """
def _slogdet_by_lu(lu):
    factors, pivots = lu
    places = torch.arange(1, len(pivots) + 1, device=pivots.device)
    diagonal = torch.diagonal(factors)
    sign = torch.prod(torch.sign(diagonal)) * (1 - 2 * ((pivots != places).sum() % 2))
    return sign, torch.sum(torch.log(torch.abs(diagonal)))
""",
}


def spelled_torch(i: Instruction, operands: Sequence[str]) -> str:
    """The text for PyTorch, whose solves by a factor take matrices only."""
    first = operands[0]
    match i.op, i.name:
        case "inverse", "cholesky":
            return f"torch.cholesky_inverse({first})"
        case (("factor" | "inverse" | "determinant"), _):
            return spelled(i, operands, "torch")
    (turned,) = i.detail
    right = operands[1]
    if i.name == "general":
        return f"torch.linalg.solve({_turned(i, first) if turned else first}, {right})"
    vector = len(i.result.shape) == 1
    right = f"({right})[:, None]" if vector else right
    match i.name:
        case "lu":
            text = f"torch.linalg.lu_solve(*{first}, {right}{', adjoint=True' if turned else ''})"
        case "cholesky":
            text = f"torch.cholesky_solve({right}, {first})"
        case _:
            upper = (i.name == "upper") != turned
            first = _turned(i, first) if turned else first
            text = f"torch.linalg.solve_triangular({first}, {right}, upper={upper})"
    return f"{text}[:, 0]" if vector else text
