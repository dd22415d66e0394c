"""Index notation: text with letters on names, Σ and δ, read into the expression it denotes.

The text is what derivatives print, in Unicode or in ASCII: ``2 Σ_j A_ji (Σ_k A_jk x_k − b_j)`` or
``2*sum_j(A[j,i]*(sum_k(A[j,k]*x[k]) - b[j]))``.

- Letters stand after a name: ``A_ij``, ``A_{i1,j}``, ``A[i,j]``. The longest name that is known
  wins: with ``W_1`` declared, ``W_1_ij`` has the letters i and j.
- Σ_k sums the product that follows, to its end; ``sum_k(…)`` what is in the parentheses. Nothing
  is summed without it: a letter that comes twice is refused unless the left side says it is free.
- The axes of the result are the letters on the left, ``f_ij = …`` or ``∂f/∂U_ij = …``; without a
  left side they are the free letters in the order i, j, …, w, a, b, …
- What has no indices is matrix text, and a subscript takes its entry: ``[S⁻¹]_ij``, ``(A x)_i``,
  ``softmax(A x)_i``, ``tr(S)``, ``‖x‖``. ``softmax_k(…)_i`` has its argument over the letter k.
- ``δ_ij`` (``delta[i,j]``, ``I_ij``) ties two letters; ``[i ≥ j]`` and ``[k = m (j − 1) + i]`` are
  1 where they hold, with letters that count from 1.
- How far a letter runs follows from the names it stands on. A name that is not declared has as
  many axes as letters.
"""
