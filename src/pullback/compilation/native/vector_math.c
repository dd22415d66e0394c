// Functions of numbers without branches, so that a compiler turns loops over them into vectors.
// Errors are below 2 units in the last place (4 for tanh, sinh, cosh); infinities, NaNs and zeros
// are what C's own functions make of them. Paragraphs are taken only where they are used.

static inline double from_bits(int64_t bits) { double x; memcpy(&x, &bits, sizeof x); return x; }
static inline int64_t to_bits(double x) { int64_t bits; memcpy(&bits, &x, sizeof bits); return bits; }

// 1.5 * 2^52: added to a number, it leaves the nearest integer in the last bits
#define ROUNDING 6755399441055744.0
#define LN2_HIGH 6.93147180369123816490e-01  // 33 bits, so that k * LN2_HIGH is exact
#define LN2_LOW 1.90821492927058770002e-10

// (exp(r) - 1 - r) / 2r^2 for |r| <= log(2) / 2, by interpolation at Chebyshev's points
static inline double exp_rest(double r) {
    double p = 1.255019274775516e-08;
    p = p * r + 1.3810044222704873e-07;
    p = p * r + 1.3778634229998532e-06;
    p = p * r + 1.2400760647977188e-05;
    p = p * r + 9.920634931526809e-05;
    p = p * r + 0.0006944444458606858;
    p = p * r + 0.004166666666665031;
    p = p * r + 0.020833333333312064;
    p = p * r + 0.08333333333333334;
    return p * r + 0.25000000000000006;
}

// x = k log(2) + r: half of exp(r), k added to its exponent, and twice that; below 1e-307 it is 0.
// r - r is 0, or NaN, of which only that is left in the end.
static inline double exp_of(double x) {
    const double t = x > 709.8 ? 709.8 : x;
    const double rounded = t * 1.4426950408889634 + ROUNDING;
    const double k = rounded - ROUNDING;
    const double r = t - k * LN2_HIGH - k * LN2_LOW;
    const uint64_t power = (uint64_t)to_bits(rounded) << 52;
    const double half = from_bits(to_bits((exp_rest(r) * r + 0.5) * r + 0.5) + power);
    return 2 * (x < -707 ? 0 : half + (r - r));
}

// half of exp(|x|), which is finite where cosh(x) and sinh(x) are
static inline double exp_half(double x) {
    const double t = fabs(x) > 711 ? 711 : fabs(x);
    const double rounded = t * 1.4426950408889634 + ROUNDING;
    const double k = rounded - ROUNDING;
    const double r = t - k * LN2_HIGH - k * LN2_LOW;
    const uint64_t power = (uint64_t)(to_bits(rounded) - 2) << 52;
    return 4 * from_bits(to_bits((exp_rest(r) * r + 0.5) * r + 0.5) + power) + (r - r);
}

// 2^k (exp(r) - 1) + (2^k - 1), where the last difference is exact
static inline double expm1_of(double x) {
    double t = x < -50 ? -50 : x;
    t = t > 709.9 ? 709.9 : t;
    const double rounded = t * 1.4426950408889634 + ROUNDING;
    const double k = rounded - ROUNDING;
    const double high = t - k * LN2_HIGH, low = k * LN2_LOW;
    const double r = high - low;
    const double lost = (high - r) - low;
    const double half = from_bits((to_bits(rounded) - to_bits(ROUNDING) + 1022) << 52);
    const double small = r + (exp_rest(r) * r * (2 * r) + lost);
    const double value = 2 * (half * small + (half - 0.5));
    return fabs(x) < 1e-300 ? x : value;
}

// log(u + c) for a small correction c: u = 2^k (1 + f), and log(1 + f) by a series in f / (2 + f)
static inline double log_corrected(double u, double c) {
    const double scaled = u < 2.2250738585072014e-308 ? u * 18014398509481984.0 : u;
    const double down = u < 2.2250738585072014e-308 ? 54 : 0;
    const int64_t bits = to_bits(scaled) + (0x3ff0000000000000 - 0x3fe6a09e00000000);
    const double k = from_bits((bits >> 52) + to_bits(ROUNDING)) - ROUNDING - 1023 - down;
    const double f = from_bits((bits & 0x000fffffffffffff) + 0x3fe6a09e00000000) - 1;
    const double s = f / (2 + f);
    const double z = s * s;
    double p = 1.479819860511658591e-01;
    p = p * z + 1.531383769920937332e-01;
    p = p * z + 1.818357216161805012e-01;
    p = p * z + 2.222219843214978396e-01;
    p = p * z + 2.857142874366239149e-01;
    p = p * z + 3.999999999940941908e-01;
    p = p * z + 6.666666666666735130e-01;
    const double half = 0.5 * f * f;
    return k * LN2_HIGH - ((half - (s * (half + p * z) + (k * LN2_LOW + c))) - f);
}

static inline double log_of(double x) {
    double value = log_corrected(x, 0);
    value = x < 0 ? NAN : value;
    value = x == 0 ? -INFINITY : value;
    return x < INFINITY ? value : x;
}

static inline double log1p_of(double x) {
    const double u = 1 + x;
    const double lost = x < 1 ? x - (u - 1) : 1 - (u - x);
    double value = log_corrected(u, lost / u);
    value = u < 0 ? NAN : value;
    value = u == 0 ? -INFINITY : value;
    value = x == 0 ? x : value;
    return x < INFINITY ? value : x;
}

static inline double tanh_of(double x) {
    double t = x < -22 ? -22 : x;
    t = t > 22 ? 22 : t;
    const double e = expm1_of(2 * t);
    return x == 0 ? x : e / (e + 2);
}

static inline double cosh_of(double x) {
    const double half = exp_half(x);
    return half + 0.25 / half;
}

static inline double sinh_of(double x) {
    const double size = fabs(x);
    const double half = exp_half(x);
    const double e = expm1_of(size < 1 ? size : 1);
    const double value = size < 1 ? 0.5 * (e + e / (e + 1)) : half - 0.25 / half;
    return copysign(value, x);
}

static inline double logaddexp_of(double x, double y) {
    const double top = x > y ? x : y;
    const double value = top + log1p_of(exp_of(-fabs(x - y)));
    return x == y ? x + 0.693147180559945309 : value;
}

// NumPy's meaning: a NaN is the largest and the smallest of all
static inline real maximum_of(real x, real y) { return x >= y || x != x ? x : y; }
static inline real minimum_of(real x, real y) { return x <= y || x != x ? x : y; }
static inline real sign_of(real x) { return x > 0 ? 1 : x < 0 ? -1 : x; }

// what a loop that looks for the largest or the smallest combines its parts with
#pragma omp declare reduction(largest : real : omp_out = maximum_of(omp_out, omp_in)) initializer(omp_priv = -INFINITY)
#pragma omp declare reduction(smallest : real : omp_out = minimum_of(omp_out, omp_in)) initializer(omp_priv = INFINITY)

// glibc has vectors of these; gcc uses them where it is told so
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
#if __GLIBC_PREREQ(2, 22)
__attribute__((simd("notinbranch"))) extern double sin(double);
__attribute__((simd("notinbranch"))) extern double cos(double);
__attribute__((simd("notinbranch"))) extern double pow(double, double);
#endif
#if __GLIBC_PREREQ(2, 35)
__attribute__((simd("notinbranch"))) extern double tan(double);
__attribute__((simd("notinbranch"))) extern double asin(double);
__attribute__((simd("notinbranch"))) extern double acos(double);
__attribute__((simd("notinbranch"))) extern double atan(double);
__attribute__((simd("notinbranch"))) extern double asinh(double);
__attribute__((simd("notinbranch"))) extern double acosh(double);
__attribute__((simd("notinbranch"))) extern double atanh(double);
__attribute__((simd("notinbranch"))) extern double erf(double);
__attribute__((simd("notinbranch"))) extern double erfc(double);
__attribute__((simd("notinbranch"))) extern double exp2(double);
__attribute__((simd("notinbranch"))) extern double log2(double);
__attribute__((simd("notinbranch"))) extern double log10(double);
__attribute__((simd("notinbranch"))) extern double cbrt(double);
#endif
#endif
