/* SPDX-License-Identifier: BSD-2-Clause
 *
 * swiglu against its double build, written and added, and made anew; halves that do not begin at a vector.
 */
#include "twin.h"

START_TEST(all_shapes)
{
    static const int64_t sizes[][2] = {{1, 1}, {3, 7}, {64, 8}, {65, 17}, {7, 513}, {2, 1030}, {130, 31}, {3, 2056}};

    for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
        struct problem p = {.op = MDM_OP_SWIGLU, .ins = 1, .outs = 1, .bound = 4e-6};

        p.in[0] = mdm_shape2(sizes[k][0], 2 * sizes[k][1]);
        p.out[0] = mdm_shape2(sizes[k][0], sizes[k][1]);
        p.remade_out = p.remake_in = 1u << 0;
        check_both_ways(&p);
    }
}
END_TEST

/* silu(0) = 0, silu(large) = large, and the second half is a plain factor. */
START_TEST(the_first_half_is_bent)
{
    static const double x[] = {0, 100, 5, 3};
    struct table t[MOST_TABLES];
    int tables = list_tables(t);

    for (int i = 0; i < tables; i++) {
        struct problem p = {.op = MDM_OP_SWIGLU, .ins = 1, .outs = 1, .forward_only = 1};
        struct start s;
        struct results r;

        p.in[0] = mdm_shape2(1, 4);
        p.out[0] = mdm_shape2(1, 2);
        s = draw_start(&p);
        memcpy(s.in[0], x, sizeof x);
        r = run_once(&p, &s, &t[i].rows, MDM_F32, 1);
        ck_assert_double_eq(r.value[0][0], 0);
        ck_assert_double_eq_tol(r.value[0][1], 300, 1e-4);
        drop_results(&r);
        drop_start(&s);
    }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, all_shapes);
    tcase_add_test(c, the_first_half_is_bent);
}

int main(void)
{
    return run_suite("swiglu", add_tests);
}
