/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An average of any width from snapshots of others (Karras et al., arXiv 2312.02696, section 3.1 and appendix C). The
 * weights that an average gives to the updates before it are a profile, a power function; profiles have inner
 * products in closed form, and the least squares of a sum of some against a wanted one is a system of equations in
 * them.
 */
#include "train/average.h"

#include "base/alloc.h"
#include "base/error.h"

#include <math.h>

/* A profile as the formulas have it. */
struct curve {
    double at, exponent;
};

static struct curve curve_of(struct mdm_profile p)
{
    return (struct curve){p.at, mdm_ema_exponent(p.std)};
}

/* Of two profiles, each of integral 1. */
static double product(struct curve a, struct curve b)
{
    const double ratio = a.at < b.at ? pow(a.at / b.at, b.exponent) : pow(b.at / a.at, a.exponent);

    return (a.exponent + 1) * (b.exponent + 1) * ratio /
           ((a.exponent + b.exponent + 1) * (a.at > b.at ? a.at : b.at));
}

int mdm_average_check(double std)
{
    if (!(std >= MDM_EMA_NARROWEST && std <= MDM_EMA_WIDEST))
        return mdm_fail(MASKDM_EINVAL, "an average of deviation %g, which is not from %g to %g", std,
                        MDM_EMA_NARROWEST, MDM_EMA_WIDEST);
    return MASKDM_OK;
}

static int check(struct mdm_profile p)
{
    if (!(p.at > 0) || isinf(p.at))
        return mdm_fail(MASKDM_EINVAL, "an average of %g updates", p.at);
    return mdm_average_check(p.std);
}

static int check_all(const struct mdm_profile *in, int64_t count)
{
    if (count < 1 || count > MDM_SNAPSHOTS_MOST)
        return mdm_fail(MASKDM_EINVAL, "%lld snapshots are not from 1 to %d", (long long)count, MDM_SNAPSHOTS_MOST);
    for (int64_t i = 0; i < count; i++) {
        MDM_TRY(check(in[i]));
        for (int64_t k = 0; k < i; k++)
            if (in[i].at == in[k].at && in[i].std == in[k].std)
                return mdm_fail(MASKDM_EINVAL, "snapshots %lld and %lld are both of deviation %g at %g", (long long)k,
                                (long long)i, in[i].std, in[i].at);
    }
    return MASKDM_OK;
}

static void swap_rows(double *a, int64_t n, int64_t i, int64_t k)
{
    for (int64_t c = 0; i != k && c < n; c++) {
        const double x = a[i * n + c];

        a[i * n + c] = a[k * n + c];
        a[k * n + c] = x;
    }
}

/* a[n,n] x = b, by elimination with the largest of a column on the diagonal; x takes b's place. */
static int eliminate(double *a, double *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t largest = i;

        for (int64_t k = i + 1; k < n; k++)
            if (fabs(a[k * n + i]) > fabs(a[largest * n + i]))
                largest = k;
        swap_rows(a, n, i, largest);
        swap_rows(b, 1, i, largest);
        if (a[i * n + i] == 0)
            return mdm_fail(MASKDM_EINVAL, "the snapshots' profiles do not tell from each other");
        for (int64_t k = i + 1; k < n; k++) {
            const double factor = a[k * n + i] / a[i * n + i];

            for (int64_t c = i; c < n && factor != 0; c++)
                a[k * n + c] -= factor * a[i * n + c];
            b[k] -= factor * b[i];
        }
    }
    for (int64_t i = n; i-- > 0;) {
        for (int64_t c = i + 1; c < n; c++)
            b[i] -= a[i * n + c] * b[c];
        b[i] /= a[i * n + i];
    }
    return MASKDM_OK;
}

static double distance(const struct curve *in, int64_t count, struct curve wanted, const double *factors)
{
    const double whole = product(wanted, wanted);
    double square = whole;

    for (int64_t i = 0; i < count; i++) {
        double others = -2 * product(in[i], wanted);

        for (int64_t k = 0; k < count; k++)
            others += factors[k] * product(in[i], in[k]);
        square += factors[i] * others;
    }
    return sqrt(square > 0 ? square / whole : 0);
}

static int solve(const struct curve *in, int64_t count, struct curve wanted, double *matrix, double *factors)
{
    double sum = 0;

    for (int64_t i = 0; i < count; i++) {
        for (int64_t k = 0; k < count; k++)
            matrix[i * count + k] = product(in[i], in[k]);
        factors[i] = product(in[i], wanted);
    }
    MDM_TRY(eliminate(matrix, factors, count));
    for (int64_t i = 0; i < count; i++)
        sum += factors[i];
    if (sum == 0 || !isfinite(sum))
        return mdm_fail(MASKDM_EINVAL, "the snapshots' profiles do not tell from each other");
    for (int64_t i = 0; i < count; i++)
        factors[i] /= sum;
    return MASKDM_OK;
}

int mdm_average_solve(const struct mdm_profile *in, int64_t count, struct mdm_profile wanted, double *factors,
                      double *off)
{
    struct curve *curves;
    double *matrix;
    int status = MASKDM_ENOMEM;

    MDM_TRY(check(wanted));
    MDM_TRY(check_all(in, count));
    curves = mdm_need((size_t)count, sizeof *curves, "profiles of averages");
    matrix = curves ? mdm_need((size_t)(count * count), sizeof *matrix, "products of profiles") : NULL;
    if (matrix) {
        for (int64_t i = 0; i < count; i++)
            curves[i] = curve_of(in[i]);
        status = solve(curves, count, curve_of(wanted), matrix, factors);
    }
    if (status == MASKDM_OK && off)
        *off = distance(curves, count, curve_of(wanted), factors);
    mdm_free(curves);
    mdm_free(matrix);
    return status;
}
