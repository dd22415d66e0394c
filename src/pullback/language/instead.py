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
    **dict.fromkeys(("linalg.svd", "linalg.eig", "linalg.qr", "linalg.eigvals"),
                    "its factors are not single-valued; norms, inv, det, logdet and solve are"),
    "linalg.eigh": "its eigenvectors are not single-valued",
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
