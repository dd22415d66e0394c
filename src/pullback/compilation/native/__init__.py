"""A linear program as one C function: loops fused, the BLAS that NumPy has, built once and kept."""
