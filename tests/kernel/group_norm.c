/* SPDX-License-Identifier: BSD-2-Clause
 *
 * group_norm and group_norm_silu against their double build and their formula.
 */
#include "twin.h"

/* B, pixels, C, G */
static const int64_t sizes[][4] = {{1, 1, 3, 1},    {2, 5, 4, 2},    {1, 64, 8, 8},    {3, 65, 6, 3},
                                   {2, 70, 33, 3},  {1, 130, 64, 4}, {2, 9, 300, 100}, {1, 200, 129, 1},
                                   {1, 300, 64, 16}, {1, 70, 512, 64}};

static struct problem norm(const int64_t *s, int silu, int w, int b, int m)
{
    struct problem p = {.op = silu ? MDM_OP_GROUP_NORM_SILU : MDM_OP_GROUP_NORM, .ins = 4, .outs = 2};

    p.in[0] = p.out[0] = mdm_shape3(s[0], s[1], s[2]);
    if (w)
        p.in[1] = mdm_shape1(s[2]);
    if (b)
        p.in[2] = mdm_shape1(s[2]);
    if (m)
        p.in[3] = mdm_shape2(s[0], 2 * s[2]);
    p.out[1] = mdm_shape3(s[0], s[3], 2);
    p.attr[0] = s[3];
    p.constant[0] = 1e-3;
    p.aux = p.remake_out = 1u << 1;
    p.remade_out = 1u << 0;
    p.remake_in = 0xf;
    p.bound = 1e-5;
    return p;
}

START_TEST(all_shapes)
{
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++)
        for (int silu = 0; silu <= 1; silu++) {
            struct problem p = norm(sizes[k], silu, 1, 1, (k + (size_t)silu) % 2);

            check_both_ways(&p);
        }
}
END_TEST

START_TEST(weight_bias_and_statistics_may_be_absent)
{
    for (int some = 0; some < 8; some++) {
        struct problem p = norm(sizes[1], some != 2, some & 1, some & 2, some & 4);

        check_both_ways(&p);
        p.forward_only = 1;
        p.drop = p.aux;
        p.remade_out = 0;
        check_problem(&p);
    }
}
END_TEST

static double silu(double x)
{
    return x / (1 + exp(-x));
}

START_TEST(values_are_those_of_the_formula)
{
    struct mdm_cpu_table exact = {0};

    mdm_cpu_table_c_f64(&exact);
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
        const int64_t pixels = sizes[k][1], c = sizes[k][2], wide = c / sizes[k][3];
        struct problem p = norm(sizes[k], 1, 1, 1, 1);
        struct start s = draw_start(&p);
        struct results r;

        p.forward_only = 1;
        r = run_once(&p, &s, &exact, MDM_F64, 2);
        for (int64_t n = 0; n < mdm_shape_numel(&p.out[0]); n++) {
            const int64_t b = n / c / pixels, first = n % c / wide * wide;
            const double *x = s.in[0] + b * pixels * c, *m = s.in[3] + b * 2 * c;
            double mean = 0, square = 0, count = (double)(pixels * wide), z;

            for (int64_t i = 0; i < pixels * wide; i++)
                mean += x[i / wide * c + first + i % wide] / count;
            for (int64_t i = 0; i < pixels * wide; i++)
                square += pow(x[i / wide * c + first + i % wide] - mean, 2);
            z = (s.in[0][n] - mean) / sqrt(square / count + 1e-3) * s.in[1][n % c] + s.in[2][n % c];
            ck_assert_double_eq_tol(r.value[0][n], silu(z * (1 + m[n % c]) + m[c + n % c]), 1e-12);
        }
        drop_results(&r);
        drop_start(&s);
    }
}
END_TEST

/* A mean of 1000 deviations costs the digits that the values themselves lack, and no more. */
START_TEST(a_large_mean_keeps_the_deviation)
{
    struct problem p = norm(sizes[5], 0, 1, 1, 0);
    struct mdm_cpu_table exact = {0};
    struct table t[MOST_TABLES];
    const int tables = list_tables(t);
    struct start s = draw_start(&p);
    struct results want;

    mdm_cpu_table_c_f64(&exact);
    for (int64_t i = 0; i < mdm_shape_numel(&p.in[0]); i++)
        s.in[0][i] = (double)(float)(s.in[0][i] + 1000);
    want = run_once(&p, &s, &exact, MDM_F64, 1);
    for (int i = 0; i < tables; i++) {
        struct results r = run_once(&p, &s, &t[i].rows, MDM_F32, 2);

        expect_near(t[i].name, &r, &want, 2e-4);
        drop_results(&r);
    }
    drop_results(&want);
    drop_start(&s);
}
END_TEST

/* Image i of three has the bits that it has alone. */
START_TEST(an_image_does_not_see_its_batch)
{
    const int64_t single[] = {1, 65, 6, 3};
    struct problem all = norm(sizes[3], 1, 1, 1, 1), one = norm(single, 1, 1, 1, 1);
    struct table t[MOST_TABLES];
    const int tables = list_tables(t);

    all.forward_only = one.forward_only = 1;
    for (int table = 0; table < tables; table++) {
        struct start s = draw_start(&all), alone = s;
        struct results whole = run_once(&all, &s, &t[table].rows, MDM_F32, 2);

        for (int i = 0; i < 3; i++) {
            struct results r;

            alone.in[0] = s.in[0] + i * 65 * 6;
            alone.in[3] = s.in[3] + i * 12;
            r = run_once(&one, &alone, &t[table].rows, MDM_F32, 1);
            ck_assert_mem_eq(r.value[0], whole.value[0] + i * 65 * 6, 65 * 6 * sizeof(double));
            drop_results(&r);
        }
        drop_results(&whole);
        drop_start(&s);
    }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, values_are_those_of_the_formula);
    tcase_add_test(c, all_shapes);
    tcase_add_test(c, weight_bias_and_statistics_may_be_absent);
    tcase_add_test(c, a_large_mean_keeps_the_deviation);
    tcase_add_test(c, an_image_does_not_see_its_batch);
}

int main(void)
{
    return run_suite("group_norm", add_tests);
}
