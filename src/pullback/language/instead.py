"""What to write instead of a function of NumPy that has no meaning for symbols."""

from __future__ import annotations

_CHOOSE = "pb.where(condition, a, b) chooses entry by entry"
_INSTEAD = {
    **dict.fromkeys(("argmax", "argmin"), "pb.max and pb.min are functions of a symbol"),
    **dict.fromkeys(("sort", "argsort", "partition", "median", "percentile", "quantile", "unique"),
                    "which entries these are depends on their values; pb.max, pb.min and pb.mean do not"),
    **dict.fromkeys(("any", "all", "logical_and", "logical_or", "logical_not", "nonzero", "isnan",
                     "isfinite", "isclose", "allclose", "array_equal", "select", "piecewise",
                     "extract", "compress", "argwhere"), _CHOOSE),
    **dict.fromkeys(("floor", "ceil", "round", "rint", "trunc", "fix", "floor_divide", "mod",
                     "remainder", "fmod"), "its derivative is 0 wherever it exists"),
    **dict.fromkeys(("linalg.eig", "linalg.eigvals"),
                    "its values may be complex; np.linalg.eigvalsh(A) has those of a symmetric matrix"),
    "linalg.eigh": "np.linalg.eigvalsh(A) has the eigenvalues; the signs of the vectors are open",
    "linalg.qr": "its factors are not single-valued; np.linalg.cholesky(A.T @ A).T is R up to signs",
    "linalg.lu": "its factors depend on pivots; np.linalg.solve(A, b) is solved by them in the code",
    **dict.fromkeys(("linalg.cho_factor", "linalg.cho_solve", "linalg.lu_factor", "linalg.lu_solve"),
                    "write np.linalg.solve(A, b); the code factorises each matrix once"),
    "linalg.lstsq": "write np.linalg.solve(A.T @ A, A.T @ b)",
    "linalg.cond": "write its formula in norms",
    "split": "take slices: x[:k], x[k:]",
    "array_split": "take slices: x[:k], x[k:]",
    "hsplit": "take slices: A[:, :k], A[:, k:]",
    "vsplit": "take slices: A[:k], A[k:]",
    "interp": _CHOOSE,
    "array": "pb.stack([a, b]) makes a symbol of symbols",
    "asarray": "pb.stack([a, b]) makes a symbol of symbols",
    "append": "write np.concatenate",
    "insert": "write np.concatenate of slices",
    "delete": "write np.concatenate of slices",
    "apply_along_axis": "functions of a vector take axis=",
    "vectorize": "functions of the catalogue go entry by entry",
    "linalg.matrix_rank": "a rank is a whole number, with derivative 0 wherever it exists",
    "fft.fft": "its values are complex; multiply by the cosine and sine matrices",
}  # fmt: skip


def instead_of(name: str) -> str:
    """A hint for the user of a NumPy function, or nothing."""
    return _INSTEAD.get(name, "")
