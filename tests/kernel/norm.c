/* SPDX-License-Identifier: BSD-2-Clause
 *
 * layernorm and add_norm against their double build.
 */
#include "twin.h"

static struct problem norm(int sum, int64_t rows, int64_t d)
{
    struct problem p = {.op = sum ? MDM_OP_ADD_NORM : MDM_OP_LAYERNORM, .bound = 1e-5, .constant = {1e-5}};

    p.in[p.ins++] = mdm_shape2(rows, d);
    if (sum)
        p.in[p.ins++] = p.out[p.outs++] = mdm_shape2(rows, d);
    p.in[p.ins++] = mdm_shape1(d);
    p.in[p.ins++] = mdm_shape1(d);
    p.out[p.outs++] = mdm_shape2(rows, d);
    p.out[p.outs++] = mdm_shape2(rows, 2);
    p.aux = 1u << (p.outs - 1);
    p.remade_out = 1u << sum;
    p.remake_in = sum ? 1u << 2 | 1u << 3 : 1u << 0 | 1u << 1 | 1u << 2;
    p.remake_out = sum ? 1u << 0 : 0;
    return p;
}

/* Rows on which a device has other kernels: of whole packs, of as many as a warp or a block keeps, and of more. */
static const int64_t sizes[][2] = {{1, 3},    {2, 7},    {5, 8},    {64, 9},   {65, 17},  {300, 24}, {70, 129},
                                   {33, 512}, {600, 16}, {19, 768}, {5, 1024}, {9, 1032}, {5, 2056}, {2, 4104}};

START_TEST(all_shapes)
{
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++)
        for (int sum = 0; sum <= 1; sum++) {
            struct problem p = norm(sum, sizes[k][0], sizes[k][1]);
            check_both_ways(&p);
        }
}
END_TEST

START_TEST(weight_and_bias_may_be_absent)
{
    for (size_t k = 1; k < MDM_LENGTH(sizes); k += 3)
        for (int sum = 0; sum <= 1; sum++)
            for (int weight = 0; weight <= 1; weight++) {
                struct problem p = norm(sum, sizes[k][0], sizes[k][1]);

                p.constant[0] = 1e-3;
                p.in[sum + 2] = (struct mdm_shape){0};
                if (!weight)
                    p.in[sum + 1] = (struct mdm_shape){0};
                check_both_ways(&p);
            }
}
END_TEST

/* A width of 1 has no deviation: y is the bias, rstd 1/sqrt(1e-5). */
START_TEST(width_one_gives_the_bias)
{
    struct problem p = norm(0, 4, 1);
    struct table t[MOST_TABLES];
    int tables = list_tables(t);

    p.forward_only = 1;
    for (int i = 0; i < tables; i++) {
        struct start s = draw_start(&p);
        struct results r = run_once(&p, &s, &t[i].rows, MDM_F32, 1);
        for (int k = 0; k < 4; k++) {
            ck_assert_double_eq(r.value[0][k], s.in[2][0]);
            ck_assert_double_eq_tol(r.value[1][2 * k + 1], 1 / sqrt(1e-5), 1e-4);
        }
        drop_results(&r);
        drop_start(&s);
    }
}
END_TEST

START_TEST(sum_and_statistics_may_be_absent)
{
    for (int sum = 0; sum <= 1; sum++) {
        struct problem p = norm(sum, 67, 21);
        p.forward_only = 1;
        p.drop = p.aux | (sum ? 1u : 0);
        p.remade_out = 0; /* add_norm's sum is what y is made anew from */
        check_problem(&p);
    }
}
END_TEST

/* A NaN in one row stays in that row. */
START_TEST(a_nan_stays_in_its_row)
{
    struct problem p = norm(0, 3, 20);
    struct table t[MOST_TABLES];
    int tables = list_tables(t);

    p.forward_only = 1;
    for (int i = 0; i < tables; i++) {
        struct start s = draw_start(&p);
        struct results r;
        s.in[0][20 + 19] = NAN;
        r = run_once(&p, &s, &t[i].rows, MDM_F32, 1);
        for (int k = 0; k < 60; k++)
            ck_assert_int_eq(isnan(r.value[0][k]) != 0, k / 20 == 1);
        drop_results(&r);
        drop_start(&s);
    }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, all_shapes);
    tcase_add_test(c, weight_and_bias_may_be_absent);
    tcase_add_test(c, width_one_gives_the_bias);
    tcase_add_test(c, sum_and_statistics_may_be_absent);
    tcase_add_test(c, a_nan_stays_in_its_row);
}

int main(void)
{
    return run_suite("norm", add_tests);
}
