/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Matrices that resize.
 */
#include "model/bicubic.h"

#include "base/alloc.h"
#include "base/error.h"

#include <math.h>
#include <string.h>

/* Keys, "Cubic Convolution Interpolation for Digital Image Processing", 1981, equation 4, with its free number. */
static double cubic(double x, double a)
{
    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((x - 5) * x + 8) * x * a - 4 * a : 0;
}

static void grow(double *w, int64_t made, int64_t taken)
{
    for (int64_t i = 0; i < made; i++) {
        const double at = ((double)i + 0.5) * (double)taken / (double)made - 0.5, low = floor(at);

        for (int64_t k = (int64_t)low - 1; k <= (int64_t)low + 2; k++) {
            const int64_t inside = k < 0 ? 0 : k < taken ? k : taken - 1;

            w[i * taken + inside] += cubic(at - (double)k, -0.75);
        }
    }
}

static void shrink(double *w, int64_t made, int64_t taken)
{
    const double scale = (double)taken / (double)made, reach = 2 * scale;

    for (int64_t i = 0; i < made; i++) {
        const double at = ((double)i + 0.5) * scale;
        const int64_t from = at > reach ? (int64_t)(at - reach + 0.5) : 0;
        const int64_t end = (int64_t)(at + reach + 0.5) < taken ? (int64_t)(at + reach + 0.5) : taken;
        double sum = 0;

        for (int64_t k = from; k < end; k++)
            sum += w[i * taken + k] = cubic(((double)k + 0.5 - at) / scale, -0.5);
        for (int64_t k = from; k < end; k++)
            w[i * taken + k] /= sum;
    }
}

void mdm_bicubic(double *w, int64_t made, int64_t taken)
{
    memset(w, 0, (size_t)(made * taken) * sizeof *w);
    if (made < taken)
        shrink(w, made, taken);
    else
        grow(w, made, taken);
}

/* g[n,n] becomes its Cholesky factor, below the diagonal; of a tall matrix's products with itself, which has one. */
static void factor(double *g, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++) {
            double sum = g[i * n + j];

            for (int64_t k = 0; k < j; k++)
                sum -= g[i * n + k] * g[j * n + k];
            g[i * n + j] = i == j ? sqrt(sum) : sum / g[j * n + j];
        }
}

/* x becomes what the factored matrix makes x of. */
static void solve(const double *g, int64_t n, double *x)
{
    for (int64_t i = 0; i < n; i++) {
        for (int64_t k = 0; k < i; k++)
            x[i] -= g[i * n + k] * x[k];
        x[i] /= g[i * n + i];
    }
    for (int64_t i = n; i-- > 0;) {
        for (int64_t k = i + 1; k < n; k++)
            x[i] -= g[k * n + i] * x[k];
        x[i] /= g[i * n + i];
    }
}

/* Of t[rows,n], tall, and g[n,n] = t't: each row of t by the inverse of g. */
static void divide(double *t, int64_t rows, int64_t n, double *g)
{
    memset(g, 0, (size_t)(n * n) * sizeof *g);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j <= i; j++)
                g[i * n + j] += t[r * n + i] * t[r * n + j];
    factor(g, n);
    for (int64_t r = 0; r < rows; r++)
        solve(g, n, t + r * n);
}

static void transpose(double *to, const double *from, int64_t rows, int64_t columns)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++)
            to[c * rows + r] = from[r * columns + c];
}

/* B its matrix: the pseudo-inverse of B' is B (B'B)^-1 where B is tall, (BB')^-1 B where it is wide. */
int mdm_bicubic_dual(double *w, int64_t made, int64_t taken)
{
    const int64_t few = made < taken ? made : taken;
    double *g = mdm_need((size_t)(few * few + made * taken), sizeof *g, "resizing a patch"), *turned = g + few * few;

    if (!g)
        return MASKDM_ENOMEM;
    mdm_bicubic(w, made, taken);
    if (made >= taken) {
        divide(w, made, taken, g);
    } else {
        transpose(turned, w, made, taken);
        divide(turned, taken, made, g);
        transpose(w, turned, taken, made);
    }
    mdm_free(g);
    return MASKDM_OK;
}
