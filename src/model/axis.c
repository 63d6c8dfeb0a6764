/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Maps along dimensions. Sums are taken in double, and rounded once all dimensions are done.
 */
#include "model/axis.h"

#include "base/alloc.h"
#include "base/error.h"
#include "model/bicubic.h"

#include <string.h>

struct mdm_axis mdm_axis_same(int64_t n)
{
    return (struct mdm_axis){.taken = n, .made = n};
}

void mdm_axis_free(struct mdm_axis *a)
{
    mdm_free(a->w);
    a->w = NULL;
}

/* Zeros. */
static int take(struct mdm_axis *a, int64_t taken, int64_t made)
{
    *a = (struct mdm_axis){.taken = taken, .made = made};
    a->w = mdm_need((size_t)made, (size_t)taken * sizeof *a->w, "resizing weights");
    return a->w ? MASKDM_OK : MASKDM_ENOMEM;
}

int mdm_axis_resize(struct mdm_axis *a, int64_t taken, int64_t made)
{
    *a = mdm_axis_same(taken);
    if (taken == made)
        return MASKDM_OK;
    MDM_TRY(take(a, taken, made));
    mdm_bicubic(a->w, made, taken);
    return MASKDM_OK;
}

int mdm_axis_resize_dual(struct mdm_axis *a, int64_t taken, int64_t made)
{
    *a = mdm_axis_same(taken);
    if (taken == made)
        return MASKDM_OK;
    MDM_TRY(take(a, taken, made));
    return mdm_bicubic_dual(a->w, made, taken);
}

static int64_t colours(int64_t channels)
{
    return channels < 3 ? 1 : 3;
}

/* From row `row` and column `column` on: 1 for each colour that stays, else `join` or `part`. */
static void map_colours(struct mdm_axis *a, int64_t row, int64_t column, int64_t from, int64_t to,
                        const double join[3], double part)
{
    const int64_t taken = colours(from), made = colours(to);

    for (int64_t i = 0; i < made; i++)
        for (int64_t k = 0; k < taken; k++)
            a->w[(row + i) * a->taken + column + k] = taken == made ? i == k : taken > made ? join[k] : part;
}

/* Alpha is the last channel where the others are colours. */
static void map_alpha(struct mdm_axis *a, int64_t row, int64_t column, int64_t from, int64_t to)
{
    if (from > colours(from) && to > colours(to))
        a->w[(row + to - 1) * a->taken + column + from - 1] = 1;
}

int mdm_axis_channels_in(struct mdm_axis *a, int64_t from, int64_t to, int64_t more_taken, int64_t more_made)
{
    static const double join[3] = {1, 1, 1};

    *a = mdm_axis_same(from + more_taken);
    if (from == to && more_taken == more_made)
        return MASKDM_OK;
    MDM_TRY(take(a, from + more_taken, to + more_made));
    map_colours(a, 0, 0, from, to, join, 1.0 / 3);
    map_alpha(a, 0, 0, from, to);
    for (int64_t i = 0; i < more_taken && i < more_made; i++)
        a->w[(to + i) * a->taken + from + i] = 1;
    return MASKDM_OK;
}

int mdm_axis_channels_out(struct mdm_axis *a, int64_t from, int64_t to, int64_t taken, int64_t made)
{
    static const double luma[3] = {19595 / 65536.0, 38470 / 65536.0, 7471 / 65536.0};

    *a = mdm_axis_same(taken);
    if (from == to && taken == made)
        return MASKDM_OK;
    MDM_TRY(take(a, taken, made));
    a->drawn = 1;
    for (int64_t i = 0; i * from < taken && i * to < made; i++) {
        map_colours(a, i * to, i * from, from, to, luma, 1);
        map_alpha(a, i * to, i * from, from, to);
    }
    return MASKDM_OK;
}

/* x[outer,taken,inner] -> y[outer,made,inner] */
static void map(double *y, const double *x, const struct mdm_axis *a, int64_t outer, int64_t inner)
{
    memset(y, 0, (size_t)(outer * a->made * inner) * sizeof *y);
    for (int64_t o = 0; o < outer; o++, x += a->taken * inner, y += a->made * inner)
        for (int64_t i = 0; i < a->made; i++)
            for (int64_t k = 0; k < a->taken; k++) {
                const double w = a->w[i * a->taken + k];

                for (int64_t n = 0; w != 0 && n < inner; n++)
                    y[i * inner + n] += w * x[k * inner + n];
            }
}

static int64_t product(const struct mdm_axis *const axis[MDM_MOST_AXES], int from, int to, int made)
{
    int64_t n = 1;

    for (int k = from; k < to; k++)
        n *= made ? axis[k]->made : axis[k]->taken;
    return n;
}

static int is_drawn(const struct mdm_axis *a, int64_t i)
{
    for (int64_t k = 0; a->drawn && k < a->taken; k++)
        if (a->w[i * a->taken + k] != 0)
            return 0;
    return a->drawn;
}

static void round_out(float *y, const double *x, const struct mdm_axis *const axis[MDM_MOST_AXES], int count)
{
    const int64_t all = product(axis, 0, count, 1);
    int64_t inner = all;
    int drawn = -1;

    for (int k = 0; k < count && drawn < 0; k++) {
        inner /= axis[k]->made;
        drawn = axis[k]->drawn ? k : -1;
    }
    for (int64_t i = 0; i < all; i++)
        if (drawn < 0 || !is_drawn(axis[drawn], i / inner % axis[drawn]->made))
            y[i] = (float)x[i];
}

int mdm_axes_apply(float *y, const float *x, const struct mdm_axis *const axis[MDM_MOST_AXES], int count)
{
    const int64_t n = product(axis, 0, count, 0);
    double *now = mdm_need((size_t)n, sizeof *now, "resizing weights");

    if (!now)
        return MASKDM_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        now[i] = x[i];
    for (int k = 0; k < count; k++) {
        const int64_t outer = product(axis, 0, k, 1), inner = product(axis, k + 1, count, 0);
        double *next;

        if (!axis[k]->w)
            continue;
        next = mdm_need((size_t)(outer * axis[k]->made * inner), sizeof *next, "resizing weights");
        if (next)
            map(next, now, axis[k], outer, inner);
        mdm_free(now);
        now = next;
        if (!now)
            return MASKDM_ENOMEM;
    }
    round_out(y, now, axis, count);
    mdm_free(now);
    return MASKDM_OK;
}
