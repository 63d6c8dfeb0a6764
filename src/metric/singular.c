/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Singular values, after Golub and Kahan (1965): reflections from both sides leave an upper bidiagonal matrix with
 * the same ones, d on the diagonal and e above it; those are, with either sign, the eigenvalues of the symmetric
 * tridiagonal matrix with zeros on its diagonal and d0 e0 d1 e1 ... beside it, which QL with implicit shifts finds.
 * So they are real whatever the matrix is, and wrong by no more than rounding of the largest.
 */
#include "metric/root.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"

#include <float.h>
#include <math.h>

enum { ROWS = 64, COLUMNS = 256 }; /* that one thread works on */
enum { MOST_TURNS = 100 };         /* for one eigenvalue; a few are usual */

/* Two reflections meet in one step: of the rows by I - p v v', of the columns by I - q u u'. */
struct step {
    double *w;
    int64_t m, n, k;
    double *v, *u, *sum; /* [m], [n], [n]: sum = p W'v */
    double p, q;
};

/* Makes x[0 .. count) the vector of the reflection that leaves its first element alone, `first`, and answers its
 * factor, 0 for none. */
static double reflect(double *x, int64_t count, double *first)
{
    double square = 0, rest;

    for (int64_t i = 1; i < count; i++)
        square += x[i] * x[i];
    *first = x[0];
    if (square == 0)
        return 0;
    rest = sqrt(x[0] * x[0] + square);
    *first = x[0] > 0 ? -rest : rest;
    x[0] -= *first;
    return 2 / (x[0] * x[0] + square);
}

static int gather(void *arg, int64_t piece, int worker)
{
    struct step *s = arg;
    const int64_t from = s->k + 1 + piece * COLUMNS, to = from + COLUMNS < s->n ? from + COLUMNS : s->n;

    (void)worker;
    for (int64_t j = from; j < to; j++)
        s->sum[j] = 0;
    for (int64_t i = s->k; i < s->m; i++) {
        const double *row = s->w + i * s->n, f = s->p * s->v[i];

        for (int64_t j = from; j < to; j++)
            s->sum[j] += f * row[j];
    }
    return MASKDM_OK;
}

/* Rows below k, by both reflections. */
static int spread(void *arg, int64_t piece, int worker)
{
    struct step *s = arg;
    const int64_t from = s->k + 1 + piece * ROWS, to = from + ROWS < s->m ? from + ROWS : s->m;

    (void)worker;
    for (int64_t i = from; i < to; i++) {
        double *row = s->w + i * s->n, z[4] = {0};
        int64_t j = s->k + 1;

        for (; j + 4 <= s->n; j += 4)
            for (int l = 0; l < 4; l++) {
                row[j + l] -= s->v[i] * s->sum[j + l];
                z[l] += row[j + l] * s->u[j + l];
            }
        for (; j < s->n; j++) {
            row[j] -= s->v[i] * s->sum[j];
            z[0] += row[j] * s->u[j];
        }
        z[0] = s->q * ((z[0] + z[1]) + (z[2] + z[3]));
        for (j = s->k + 1; j < s->n && s->q != 0; j++)
            row[j] -= z[0] * s->u[j];
    }
    return MASKDM_OK;
}

/* Column k and row k to d and *e. */
static int reduce(struct step *s, double *d, double *e, maskdm_device *device)
{
    const int64_t k = s->k;

    for (int64_t i = k; i < s->m; i++)
        s->v[i] = s->w[i * s->n + k];
    s->p = reflect(s->v + k, s->m - k, d);
    if (k + 1 == s->n)
        return MASKDM_OK;
    MDM_TRY(mdm_device_loop(device, (s->n - k - 1 + COLUMNS - 1) / COLUMNS, gather, s));
    for (int64_t j = k + 1; j < s->n; j++)
        s->u[j] = s->w[k * s->n + j] - s->v[k] * s->sum[j];
    s->q = reflect(s->u + k + 1, s->n - k - 1, e);
    return mdm_device_loop(device, (s->m - k - 1 + ROWS - 1) / ROWS, spread, s);
}

/* beside[2n - 1]: d0 e0 d1 ... */
static int bidiagonal(struct step *s, double *beside, maskdm_device *device, maskdm_control *control)
{
    double told = mdm_clock();
    int status = MASKDM_OK;

    MDM_TRY(mdm_device_enter(device));
    for (s->k = 0; s->k < s->n && status >= 0; s->k++) {
        status = reduce(s, beside + 2 * s->k, beside + 2 * s->k + 1, device);
        mdm_metric_tell(control, &told, s->k + 1, s->n);
        if (status >= 0)
            status = mdm_control_check(control, "the distance");
    }
    mdm_device_leave(device);
    return status;
}

/* One turn of QL on rows l .. m: d on the diagonal, e beside it. */
static void turn(double *d, double *e, int64_t l, int64_t m)
{
    double g = (d[l + 1] - d[l]) / (2 * e[l]), r = hypot(g, 1), s = 1, c = 1, p = 0;

    g = d[m] - d[l] + e[l] / (g + copysign(r, g));
    for (int64_t i = m - 1; i >= l; i--) {
        const double f = s * e[i], b = c * e[i];

        r = hypot(f, g);
        e[i + 1] = r;
        if (r == 0) {
            d[i + 1] -= p;
            e[m] = 0;
            return;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
    }
    d[l] -= p;
    e[l] = g;
    e[m] = 0;
}

/* Eigenvalues, into d, of n rows; what is beside the diagonal counts as 0 below `least`. */
static int eigenvalues(double *d, double *e, int64_t n, double least)
{
    for (int64_t l = 0; l < n; l++)
        for (int turns = 0;; turns++) {
            int64_t m = l;

            while (m + 1 < n && fabs(e[m]) > least)
                m++;
            if (m == l)
                break;
            if (turns == MOST_TURNS)
                return mdm_fail(MASKDM_ENONFINITE, "the singular values of a product of covariances were not found");
            turn(d, e, l, m);
        }
    return MASKDM_OK;
}

static int sum_of(double *out, double *d, double *beside, int64_t n)
{
    double most = 0;

    for (int64_t i = 0; i + 1 < n; i++)
        most = fmax(most, fabs(beside[i]));
    if (!isfinite(most))
        return mdm_fail(MASKDM_ENONFINITE, "a product of covariances is beyond double precision");
    MDM_TRY(eigenvalues(d, beside, n, DBL_EPSILON * most));
    *out = 0;
    for (int64_t i = 0; i < n; i++)
        *out += fabs(d[i]) / 2;
    return MASKDM_OK;
}

int mdm_singular_sum(double *out, double *w, int64_t m, int64_t n, maskdm_device *device, maskdm_control *control)
{
    struct step s = {.w = w, .m = m, .n = n};
    double *d = mdm_need((size_t)n, 2 * sizeof *d, "singular values"); /* [2n], zeros */
    double *beside = mdm_need((size_t)n, 2 * sizeof *beside, "singular values");
    int status = MASKDM_ENOMEM;

    s.v = mdm_need((size_t)m, sizeof *s.v, "singular values");
    s.u = mdm_need((size_t)n, sizeof *s.u, "singular values");
    s.sum = mdm_need((size_t)n, sizeof *s.sum, "singular values");
    if (d && beside && s.v && s.u && s.sum)
        status = bidiagonal(&s, beside, device, control);
    if (status >= 0)
        status = sum_of(out, d, beside, 2 * n);
    mdm_free(d);
    mdm_free(beside);
    mdm_free(s.v);
    mdm_free(s.u);
    mdm_free(s.sum);
    return status;
}
