/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Row functions of each instruction set against their portable double twins: dense arguments, every length around a
 * vector, unaligned, in place, special values.
 */
#include "backend/cpu/rows.h"

#include "twin.h"

enum { MOST = 40 };

static const struct mdm_rows_f32 *rows_of(int i)
{
    struct table t[MOST_TABLES];

    ck_assert_int_lt(i, fill_tables(t));
    return t[i].rows.rows_f32;
}

typedef void (*map_f32)(float *, const float *, int64_t);
typedef void (*map2_f32)(float *, const float *, const float *, int64_t);

static double gelu(double x)
{
    return x * 0.5 * erfc(-x / sqrt(2));
}

static double gelu_gradient(double x)
{
    return 0.5 * erfc(-x / sqrt(2)) + x * exp(-0.5 * x * x) / sqrt(2 * acos(-1));
}

static double silu(double x)
{
    return x / (1 + exp(-x));
}

static double silu_gradient(double x)
{
    double s = 1 / (1 + exp(-x));

    return s * (1 + x * (1 - s));
}

static double gelu_tanh(double x)
{
    return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
}

static double gelu_tanh_gradient(double x)
{
    double t = tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x));

    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * sqrt(2 / acos(-1)) * (1 + 3 * 0.044715 * x * x);
}

static void check_dense(map_f32 f, map2_f32 df, double (*exact)(double), double (*gradient)(double))
{
    const float one = 1;
    double worst = 0, worst_gradient = 0;

    for (int i = -200000; i <= 200000; i++) {
        float x = (float)i * 1e-4f, y, d;
        double size = fabs((double)x);
        f(&y, &x, 1);
        df(&d, &x, &one, 1);
        worst = fmax(worst, fabs((double)y - exact((double)x)) / (0.1 + size));
        worst_gradient = fmax(worst_gradient, fabs((double)d - gradient((double)x)) / (1 + size));
    }
    ck_assert_double_le(worst, 3e-7);
    ck_assert_double_le(worst_gradient, 3e-7);
}

START_TEST(activations_are_near_everywhere)
{
    const struct mdm_rows_f32 *r = rows_of(_i);

    check_dense(r->gelu, r->gelu_backward, gelu, gelu_gradient);
    check_dense(r->gelu_tanh, r->gelu_tanh_backward, gelu_tanh, gelu_tanh_gradient);
    check_dense(r->silu, r->silu_backward, silu, silu_gradient);
}
END_TEST

START_TEST(activations_bear_special_values)
{
    static const float special[] = {0, -0.0f, 1e-40f, 3e38f, -3e38f, 100, -100, 1e10f, -1e10f};
    const struct mdm_rows_f32 *r = rows_of(_i);
    const map_f32 f[] = {r->gelu, r->gelu_tanh, r->silu};
    const map2_f32 df[] = {r->gelu_backward, r->gelu_tanh_backward, r->silu_backward};
    float x = NAN, y, one = 1;

    for (int k = 0; k < 3; k++) {
        for (size_t i = 0; i < MDM_LENGTH(special); i++) {
            f[k](&y, &special[i], 1);
            ck_assert_double_eq_tol((double)y, special[i] > 0 ? (double)special[i] : 0, 1e-30);
            df[k](&y, &special[i], &one, 1);
            if (fabsf(special[i]) >= 100)
                ck_assert_double_eq_tol((double)y, special[i] > 0, 1e-6);
        }
        f[k](&y, &x, 1);
        ck_assert(isnan(y));
        df[k](&y, &x, &one, 1);
        ck_assert(isnan(y));
        df[k](&y, &one, &x, 1);
        ck_assert(isnan(y));
    }
}
END_TEST

enum { COMBINED = 5 };

static void combine(const struct mdm_rows_f32 *r, int k, float *y, const float *x, const float *dy, int64_t n)
{
    if (k < 2)
        r->mul_add(y, k ? x : NULL, dy, x, n);
    else if (k == 2)
        r->modulate(y, x, dy, x, n);
    else if (k == 3)
        r->affine(y, x, dy, x, dy, n);
    else
        r->silu_mul(y, x, dy, n);
}

START_TEST(products_are_those_of_double)
{
    const struct mdm_rows_f32 *r = rows_of(_i);
    const float x[3] = {3, -2, 0.5f}, s[3] = {0.25f, 4, -1};
    float y[3];

    for (int what = 0; what < 4; what++) {
        combine(r, what, y, x, s, 3);
        for (int i = 0; i < 3; i++) {
            const float want[] = {x[i] * s[i], x[i] + s[i] * x[i], x[i] * (1 + s[i]) + x[i],
                                  (x[i] - s[i]) * x[i] + s[i]};

            ck_assert_float_eq(y[i], want[what]);
        }
    }
    for (int what = 0; what < 2; what++) {
        memcpy(y, s, sizeof y);
        r->moment(y, what ? x : NULL, x, s, 3);
        for (int i = 0; i < 3; i++)
            ck_assert_float_eq(y[i], s[i] + (what ? x[i] : x[i] - s[i]) * (x[i] - s[i]));
    }
}
END_TEST

/* An element's result does not depend on its place or on the row's length, and nothing beyond is touched. */
START_TEST(lengths_and_places)
{
    const struct mdm_rows_f32 *r = rows_of(_i);
    const map_f32 f[] = {r->gelu, r->gelu_tanh, r->silu};
    float x[MOST + 9], dy[MOST + 9], y[MOST + 9], single;

    for (int i = 0; i < MOST + 9; i++) {
        x[i] = (float)(4 * draw());
        dy[i] = (float)draw();
    }
    for (int64_t n = 0; n <= MOST; n++)
        for (int at = 0; at < 4; at++) {
            int wrong = 0;
            for (int k = 0; k < 3; k++) {
                memset(y, POISON, sizeof y);
                f[k](y + at, x + at, n);
                for (int i = 0; i < MOST + 9; i++) {
                    f[k](&single, &x[i], 1);
                    wrong += i >= at && i < at + n ? y[i] != single : !isnan(y[i]);
                }
            }
            memset(y, POISON, sizeof y);
            r->add(y + at, x + at, dy + at, n);
            for (int i = 0; i < MOST + 9; i++) {
                float sum = x[i] + dy[i]; /* rounded, also where sums are kept wider */

                wrong += !(i >= at && i < at + n ? y[i] == sum : isnan(y[i]));
            }
            for (int k = 0; k < COMBINED; k++) {
                memset(y, POISON, sizeof y);
                combine(r, k, y + at, x + at, dy + at, n);
                for (int i = 0; i < MOST + 9; i++) {
                    combine(r, k, &single, &x[i], &dy[i], 1);
                    wrong += !(i >= at && i < at + n ? y[i] == single : isnan(y[i]));
                }
            }
            for (int k = 0; k < 2; k++) {
                memcpy(y, x, sizeof y);
                r->moment(y + at, k ? dy + at : NULL, x + at, dy + at, n);
                for (int i = 0; i < MOST + 9; i++) {
                    single = x[i];
                    r->moment(&single, k ? &dy[i] : NULL, &x[i], &dy[i], i >= at && i < at + n);
                    wrong += y[i] != single;
                }
            }
            memcpy(y, x, sizeof y);
            r->gelu(y + at, y + at, n); /* in place */
            for (int i = at; i < at + n; i++) {
                r->gelu(&single, &x[i], 1);
                wrong += y[i] != single;
            }
            ck_assert_int_eq(wrong, 0);
        }
}
END_TEST

/* Both gradients of a product with silu are those of silu and of the factor. */
START_TEST(silu_products_have_both_gradients)
{
    const struct mdm_rows_f32 *r = rows_of(_i);
    float a[MOST], b[MOST], dy[MOST], da[MOST], db[MOST], want[MOST];

    for (int i = 0; i < MOST; i++) {
        a[i] = (float)(8 * draw());
        b[i] = (float)draw();
        dy[i] = (float)draw();
    }
    for (int64_t n = 0; n <= MOST; n++) {
        memset(da, POISON, sizeof da);
        memset(db, POISON, sizeof db);
        r->silu_mul_backward(da, db, a, b, dy, n);
        for (int i = 0; i < MOST; i++) {
            ck_assert_int_eq(isnan(da[i]) && isnan(db[i]), i >= n);
            if (i >= n)
                continue;
            r->silu_backward(want, &a[i], &dy[i], 1);
            ck_assert_double_eq_tol((double)da[i], (double)want[0] * (double)b[i], 1e-6);
            r->silu(want, &a[i], 1);
            ck_assert_double_eq_tol((double)db[i], (double)want[0] * (double)dy[i], 1e-6 * (1 + fabs((double)a[i])));
        }
    }
}
END_TEST

/* A pair becomes what a rotation makes of it, and the way back undoes it. */
START_TEST(pairs_turn_there_and_back)
{
    const struct mdm_rows_f32 *r = rows_of(_i);
    float x[2 * MOST], y[2 * MOST], back[2 * MOST], c[MOST], s[MOST];

    for (int i = 0; i < MOST; i++) {
        c[i] = (float)cos(0.3 * i);
        s[i] = (float)sin(0.3 * i);
        x[2 * i] = (float)draw();
        x[2 * i + 1] = (float)draw();
    }
    for (int64_t n = 0; n <= MOST; n++) {
        memset(y, POISON, sizeof y);
        r->turn(y, x, c, s, 1, n);
        memcpy(back, y, sizeof y);
        r->turn(back, back, c, s, -1, n); /* in place */
        for (int i = 0; i < 2 * MOST; i++) {
            double a = (double)x[i], b = (double)x[i ^ 1];

            ck_assert_int_eq(isnan(y[i]) != 0, i >= 2 * n);
            if (i >= 2 * n)
                continue;
            ck_assert_double_eq_tol((double)y[i], a * (double)c[i / 2] + (i % 2 ? b : -b) * (double)s[i / 2], 3e-7);
            ck_assert_double_eq_tol((double)back[i], a, 5e-7);
        }
    }
}
END_TEST

/* Every exponent that a float has, both signs. A gradient of 1 keeps the result in range. */
START_TEST(finite_rows_raise_nothing)
{
    const struct mdm_rows_f32 *r = rows_of(_i);
    enum { N = 19 };
    float x[N], one[N], y[N];

    for (int e = -149; e <= 127; e++)
        for (int step = 0; step < 64; step++) {
            for (int i = 0; i < N; i++) {
                x[i] = ldexpf(1 + (float)step / 64, e) * (i % 2 ? -1 : 1);
                one[i] = 1;
            }
            begin_quiet();
            r->gelu(y, x, N);
            r->gelu_tanh(y, x, N);
            r->silu(y, x, N);
            r->gelu_backward(y, x, one, N);
            r->gelu_tanh_backward(y, x, one, N);
            r->silu_backward(y, x, one, N);
            expect_quiet("a row");
        }
    for (int i = 0; i < N; i++)
        x[i] = i % 2 ? -3.4e38f : 3.4e38f;
    begin_quiet();
    r->gelu(y, x, N);
    r->gelu_tanh(y, x, N);
    r->silu(y, x, N);
    r->gelu_backward(y, x, one, N);
    r->gelu_tanh_backward(y, x, one, N);
    r->silu_backward(y, x, one, N);
    expect_quiet("the largest number");
}
END_TEST

static void add_tests(TCase *c)
{
    struct table t[MOST_TABLES];
    const int tables = fill_tables(t);

    tcase_add_loop_test(c, finite_rows_raise_nothing, 0, tables);
    tcase_add_loop_test(c, activations_are_near_everywhere, 0, tables);
    tcase_add_loop_test(c, activations_bear_special_values, 0, tables);
    tcase_add_loop_test(c, products_are_those_of_double, 0, tables);
    tcase_add_loop_test(c, lengths_and_places, 0, tables);
    tcase_add_loop_test(c, silu_products_have_both_gradients, 0, tables);
    tcase_add_loop_test(c, pairs_turn_there_and_back, 0, tables);
}

int main(void)
{
    return run_suite("rows", add_tests);
}
