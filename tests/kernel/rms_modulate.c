/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rms_modulate against its double build, and against numbers worked out by hand.
 */
#include "twin.h"

/* B, N, D, rows of D in m, and which of them */
static const int64_t sizes[][6] = {{1, 1, 3, 2, 0, 1},   {2, 7, 8, 6, 3, 4},    {3, 64, 9, 3, 2, 0},
                                   {2, 65, 17, 6, 1, 5}, {1, 130, 40, 2, 1, 0}, {2, 33, 512, 3, 0, 2},
                                   {530, 1, 8, 2, 0, 1}, {1, 600, 8, 2, 0, 1},  {2, 5, 1536, 2, 1, 0}};

static struct problem rms(const int64_t *s)
{
    struct problem p = {.op = MDM_OP_RMS_MODULATE, .ins = 3, .outs = 2, .bound = 1e-5, .constant = {1e-6}};

    p.in[0] = p.out[0] = mdm_shape3(s[0], s[1], s[2]);
    p.in[1] = mdm_shape1(s[2]);
    p.in[2] = mdm_shape2(s[0], s[2] * s[3]);
    p.out[1] = mdm_shape1(s[0] * s[1]);
    p.attr[0] = s[4] * s[2];
    p.attr[1] = s[5] * s[2];
    p.aux = 1u << 1;
    p.remade_out = 1u << 0;
    p.remake_in = 1u << 0 | 1u << 1 | 1u << 2;
    return p;
}

START_TEST(all_shapes)
{
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
        struct problem p = rms(sizes[k]);
        check_both_ways(&p);
    }
}
END_TEST

START_TEST(statistics_may_be_absent)
{
    struct problem p = rms(sizes[3]);

    p.forward_only = 1;
    p.drop = p.aux;
    check_problem(&p);
}
END_TEST

/* Two images of one token {3, 4} and {-6, 8}: the mean square is 12.5 and 50. m's rows are scale and shift. */
START_TEST(each_image_has_its_own_row)
{
    static const double x[] = {3, 4, -6, 8}, w[] = {1, 2}, m[] = {1, 0, 10, 20, 0, -1, 30, 40};
    struct table t[MOST_TABLES];
    int tables = list_tables(t);

    for (int i = 0; i < tables; i++) {
        struct problem p = rms((const int64_t[]){2, 1, 2, 2, 0, 1});
        struct start s;
        struct results r;

        p.constant[0] = 0;
        p.forward_only = 1;
        s = draw_start(&p);
        memcpy(s.in[0], x, sizeof x);
        memcpy(s.in[1], w, sizeof w);
        memcpy(s.in[2], m, sizeof m);
        r = run_once(&p, &s, &t[i].rows, MDM_F32, 1);
        for (int k = 0; k < 4; k++)
            ck_assert_double_eq_tol(r.value[0][k],
                                    x[k] / sqrt(k < 2 ? 12.5 : 50) * w[k % 2] * (1 + m[k / 2 * 4 + k % 2]) +
                                        m[k / 2 * 4 + 2 + k % 2],
                                    1e-5);
        ck_assert_double_eq_tol(r.value[1][1], 1 / sqrt(50), 1e-7);
        drop_results(&r);
        drop_start(&s);
    }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, all_shapes);
    tcase_add_test(c, statistics_may_be_absent);
    tcase_add_test(c, each_image_has_its_own_row);
}

int main(void)
{
    return run_suite("rms_modulate", add_tests);
}
