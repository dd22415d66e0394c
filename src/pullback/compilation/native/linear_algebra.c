// Products and factorisations of matrices that lie row by row, through the BLAS and LAPACK that
// NumPy has loaded. To these a matrix row by row is its own transpose, column by column.

typedef struct {
    void *gemm, *gemv, *syrk, *getrf, *getri, *getrs, *potrf, *potri, *potrs, *trtri, *trtrs;
} blas_table;

// c = a b; a word says that a matrix lies transposed. A matrix times its transpose is half the work.
static void matrix_product(const blas_table *blas, blas_int rows, blas_int columns, blas_int inner,
                           const real *a, blas_int a_width, int a_turned,
                           const real *b, blas_int b_width, int b_turned, real *c) {
    const real one = 1, zero = 0;
    if (!rows || !columns) return;
    if (!inner) {
        memset(c, 0, sizeof(real) * rows * columns);
        return;
    }
    if (a == b && a_turned != b_turned && a_width == b_width && rows == columns) {
        void (*syrk)(const char *, const char *, const blas_int *, const blas_int *, const real *,
                     const real *, const blas_int *, const real *, real *, const blas_int *) = blas->syrk;
        syrk("U", a_turned ? "N" : "T", &rows, &inner, &one, a, &a_width, &zero, c, &rows);
        for (blas_int i = 1; i < rows; ++i)
            for (blas_int j = 0; j < i; ++j) c[j * rows + i] = c[i * rows + j];
        return;
    }
    void (*gemm)(const char *, const char *, const blas_int *, const blas_int *, const blas_int *,
                 const real *, const real *, const blas_int *, const real *, const blas_int *,
                 const real *, real *, const blas_int *) = blas->gemm;
    gemm(b_turned ? "T" : "N", a_turned ? "T" : "N", &columns, &rows, &inner,
         &one, b, &b_width, a, &a_width, &zero, c, &columns);
}

// y = a x, or aᵀ x; rows and columns are those of a as it lies
static void matrix_vector(const blas_table *blas, int turned, blas_int rows, blas_int columns,
                          const real *a, blas_int width, const real *x, blas_int stride, real *y) {
    const real one = 1, zero = 0;
    const blas_int next = 1;
    if (!rows || !columns) {
        memset(y, 0, sizeof(real) * (turned ? columns : rows));
        return;
    }
    void (*gemv)(const char *, const blas_int *, const blas_int *, const real *, const real *,
                 const blas_int *, const real *, const blas_int *, const real *, real *,
                 const blas_int *) = blas->gemv;
    gemv(turned ? "N" : "T", &columns, &rows, &one, a, &width, x, &stride, &zero, y, &next);
}

static blas_int factorised(const blas_table *blas, blas_int side, real *matrix, blas_int *pivots) {
    blas_int info = 0;
    void (*getrf)(const blas_int *, const blas_int *, real *, const blas_int *, blas_int *,
                  blas_int *) = blas->getrf;
    getrf(&side, &side, matrix, &side, pivots, &info);
    return info;
}

// a matrix in its LU decomposition becomes the inverse
static blas_int inverse_by_lu(const blas_table *blas, blas_int side, real *factors,
                              const blas_int *pivots, real *work) {
    void (*getri)(const blas_int *, real *, const blas_int *, const blas_int *, real *,
                  const blas_int *, blas_int *) = blas->getri;
    const blas_int length = 64 * side;
    blas_int info = 0;
    getri(&side, factors, &side, pivots, work, &length, &info);
    return info;
}

// each matrix becomes its inverse; not 0 where one is singular
static blas_int inverse(const blas_table *blas, int64_t count, blas_int side, real *matrices,
                        blas_int *pivots, real *work) {
    for (int64_t k = 0; k < count; ++k) {
        real *matrix = matrices + k * side * side;
        if (factorised(blas, side, matrix, pivots)) return 1;
        inverse_by_lu(blas, side, matrix, pivots, work);
    }
    return 0;
}

// each matrix becomes L, lower triangular, with L Lᵀ the matrix; not 0 where one is not positive
static blas_int cholesky(const blas_table *blas, int64_t count, blas_int side, real *matrices) {
    void (*potrf)(const char *, const blas_int *, real *, const blas_int *, blas_int *) = blas->potrf;
    blas_int info = 0;
    for (int64_t k = 0; k < count && !info; ++k) {
        real *matrix = matrices + k * side * side;
        potrf("U", &side, matrix, &side, &info);
        for (blas_int i = 0; i < side; ++i)
            for (blas_int j = i + 1; j < side; ++j) matrix[i * side + j] = 0;
    }
    return info;
}

// of a matrix in its LU decomposition, the sign and the logarithm of the size of its determinant;
// without a place for the logarithm the determinant itself
static void determinant(blas_int side, const real *factors, const blas_int *pivots, real *value, real *log_size) {
    double sign = 1, size = 0, product = 1;
    for (blas_int i = 0; i < side; ++i) {
        const double pivot = factors[i * side + i];
        if ((pivots[i] != i + 1) != (pivot < 0)) sign = -sign;
        if (pivot == 0) sign = 0;
        size += log(fabs(pivot));
        product *= fabs(pivot);
    }
    *value = log_size ? sign : sign * product;
    if (log_size) *log_size = size;
}

// the same of many matrices, which are overwritten
static void determinants(const blas_table *blas, int64_t count, blas_int side, real *matrices,
                         blas_int *pivots, real *values, real *logs) {
    for (int64_t k = 0; k < count; ++k) {
        real *matrix = matrices + k * side * side;
        factorised(blas, side, matrix, pivots);
        determinant(side, matrix, pivots, values + k, logs ? logs + k : NULL);
    }
}

// the determinant of L Lᵀ
static real determinant_by_cholesky(blas_int side, const real *factor) {
    double product = 1;
    for (blas_int i = 0; i < side; ++i) product *= factor[i * side + i];
    return product * product;
}

// L becomes the inverse of L Lᵀ
static blas_int inverse_by_cholesky(const blas_table *blas, blas_int side, real *factor) {
    void (*potri)(const char *, const blas_int *, real *, const blas_int *, blas_int *) = blas->potri;
    blas_int info = 0;
    potri("U", &side, factor, &side, &info);
    for (blas_int i = 0; i < side; ++i)
        for (blas_int j = i + 1; j < side; ++j) factor[i * side + j] = factor[j * side + i];
    return info;
}

// a triangle becomes its inverse
static blas_int inverse_of_triangle(const blas_table *blas, int lower, blas_int side, real *matrix) {
    void (*trtri)(const char *, const char *, const blas_int *, real *, const blas_int *,
                  blas_int *) = blas->trtri;
    blas_int info = 0;
    trtri(lower ? "U" : "L", "N", &side, matrix, &side, &info);
    return info;
}

// a⁻¹ b, or a⁻ᵀ b, by the LU decomposition of a; the columns of b lie one after another
static blas_int solve_by_lu(const blas_table *blas, int turned, blas_int side, const real *factors,
                            const blas_int *pivots, blas_int columns, real *b) {
    void (*getrs)(const char *, const blas_int *, const blas_int *, const real *, const blas_int *,
                  const blas_int *, real *, const blas_int *, blas_int *) = blas->getrs;
    blas_int info = 0;
    getrs(turned ? "N" : "T", &side, &columns, factors, &side, pivots, b, &side, &info);
    return info;
}

// the same by L with L Lᵀ = a
static blas_int solve_by_cholesky(const blas_table *blas, blas_int side, const real *factor,
                                  blas_int columns, real *b) {
    void (*potrs)(const char *, const blas_int *, const blas_int *, const real *, const blas_int *,
                  real *, const blas_int *, blas_int *) = blas->potrs;
    blas_int info = 0;
    potrs("U", &side, &columns, factor, &side, b, &side, &info);
    return info;
}

// the same where a is a triangle
static blas_int solve_by_triangle(const blas_table *blas, int turned, int lower, blas_int side,
                                  const real *a, blas_int columns, real *b) {
    void (*trtrs)(const char *, const char *, const char *, const blas_int *, const blas_int *,
                  const real *, const blas_int *, real *, const blas_int *, blas_int *) = blas->trtrs;
    blas_int info = 0;
    trtrs(lower ? "U" : "L", turned ? "N" : "T", "N", &side, &columns, a, &side, b, &side, &info);
    return info;
}

// a⁻¹ b, or a⁻ᵀ b, for each matrix a, which is overwritten; not 0 where one is singular
static blas_int solve(const blas_table *blas, int turned, int64_t count, blas_int side, real *a,
                      blas_int *pivots, blas_int columns, real *b) {
    for (int64_t k = 0; k < count; ++k) {
        real *matrix = a + k * side * side;
        if (factorised(blas, side, matrix, pivots)) return 1;
        solve_by_lu(blas, turned, side, matrix, pivots, columns, b + k * side * columns);
    }
    return 0;
}
