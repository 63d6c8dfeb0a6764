/* SPDX-License-Identifier: BSD-2-Clause
 *
 * transpose against its double build, and that the opposite one undoes it.
 */
#include "twin.h"

/* Rows, and a and b of the matrix that each is */
static const int64_t sizes[][3] = {{1, 1, 1}, {3, 2, 5}, {130, 4, 3}, {2, 1, 9}, {65, 7, 1}};

static struct problem transpose(const int64_t *s, int back)
{
    struct problem p = {.op = MDM_OP_TRANSPOSE, .ins = 1, .outs = 1, .attr = {back ? s[2] : s[1]}};

    p.in[0] = p.out[0] = mdm_shape2(s[0], s[1] * s[2]);
    return p;
}

START_TEST(all_shapes)
{
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
        struct problem p = transpose(sizes[k], 0);
        check_both_ways(&p);
    }
}
END_TEST

START_TEST(the_opposite_undoes_it)
{
    struct table t[MOST_TABLES];
    int tables = list_tables(t);

    for (int i = 0; i < tables; i++)
        for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
            struct problem p = transpose(sizes[k], 0), back = transpose(sizes[k], 1);
            struct start s, there;
            struct results r, again;

            p.forward_only = back.forward_only = 1;
            s = draw_start(&p);
            r = run_once(&p, &s, &t[i].rows, MDM_F32, 2);
            ck_assert_double_eq(r.value[0][sizes[k][1] * sizes[k][2] - 1], s.in[0][sizes[k][1] * sizes[k][2] - 1]);
            if (sizes[k][1] > 1 && sizes[k][2] > 1)
                ck_assert_double_eq(r.value[0][1], s.in[0][sizes[k][2]]);
            there = draw_start(&back);
            memcpy(there.in[0], r.value[0], numel(&p.in[0]) * sizeof(double));
            again = run_once(&back, &there, &t[i].rows, MDM_F32, 1);
            ck_assert_mem_eq(again.value[0], s.in[0], numel(&p.in[0]) * sizeof(double));
            drop_results(&r);
            drop_results(&again);
            drop_start(&s);
            drop_start(&there);
        }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, all_shapes);
    tcase_add_test(c, the_opposite_undoes_it);
}

int main(void)
{
    return run_suite("transpose", add_tests);
}
