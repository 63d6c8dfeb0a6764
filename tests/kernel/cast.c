/* SPDX-License-Identifier: BSD-2-Clause
 *
 * narrow and widen: where there is one type they copy, and on a device the types differ.
 */
#include "twin.h"

static const int64_t sizes[][2] = {{1, 1}, {3, 5}, {1, 8}, {7, 24}, {2, 8200}};

START_TEST(all_shapes)
{
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++)
        for (int wide = 0; wide <= 1; wide++) {
            struct problem p = {.op = wide ? MDM_OP_WIDEN : MDM_OP_NARROW, .ins = 1, .outs = 1};

            p.in[0] = p.out[0] = mdm_shape2(sizes[k][0], sizes[k][1]);
            check_both_ways(&p);
        }
}
END_TEST

START_TEST(nothing_is_changed)
{
    struct table t[MOST_TABLES];
    int tables = fill_tables(t);

    for (int i = 0; i < tables; i++)
        for (int wide = 0; wide <= 1; wide++) {
            struct problem p = {.op = wide ? MDM_OP_WIDEN : MDM_OP_NARROW, .ins = 1, .outs = 1};
            struct start s;
            struct results r;

            p.in[0] = p.out[0] = mdm_shape2(3, 16385);
            s = draw_start(&p);
            r = run_once(&p, &s, &t[i].rows, MDM_F32, 2);
            ck_assert_mem_eq(r.value[0], s.in[0], numel(&p.in[0]) * sizeof(double));
            ck_assert_mem_eq(r.value[1], s.dout[0], numel(&p.in[0]) * sizeof(double));
            drop_results(&r);
            drop_start(&s);
        }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, all_shapes);
    tcase_add_test(c, nothing_is_changed);
}

int main(void)
{
    return run_suite("cast", add_tests);
}
