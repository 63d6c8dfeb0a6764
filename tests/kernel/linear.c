/* SPDX-License-Identifier: BSD-2-Clause
 *
 * linear, linear_silu and linear2 against their double build; per-image cuts.
 */
#include "twin.h"

/* linear2 where j > 0. The weight may have more dimensions than two. */
static struct problem linear(enum mdm_op_id op, int64_t rows, int64_t i, int64_t j, int64_t o, int bias)
{
    struct problem p = {.op = op, .outs = 1};

    p.in[p.ins++] = mdm_shape2(rows, i);
    if (j)
        p.in[p.ins++] = mdm_shape2(rows, j);
    p.in[p.ins++] = (i + j) % 3 ? mdm_shape2(o, i + j) : mdm_shape3(o, 3, (i + j) / 3);
    if (bias)
        p.in[p.ins] = mdm_shape1(o);
    p.ins++;
    p.out[0] = mdm_shape2(rows, o);
    if (op == MDM_OP_LINEAR_SILU) {
        p.out[p.outs++] = p.out[0];
        p.aux = 1u << 1;
    }
    p.bound = 4e-6;
    return p;
}

static const int64_t sizes[][4] = {{1, 1, 0, 1},     {3, 7, 1, 5},      {64, 8, 8, 16},   {65, 9, 15, 17},
                                   {130, 48, 3, 31}, {140, 25, 20, 70}, {7, 60, 30, 300}, {500, 20, 0, 40}};

START_TEST(all_shapes)
{
    static const enum mdm_op_id ops[] = {MDM_OP_LINEAR, MDM_OP_LINEAR_SILU};

    for (size_t k = 0; k < MDM_LENGTH(sizes); k++)
        for (int bias = 0; bias <= 1; bias++) {
            struct problem p;
            for (size_t o = 0; o < MDM_LENGTH(ops); o++) {
                p = linear(ops[o], sizes[k][0], sizes[k][1], 0, sizes[k][3], bias);
                check_both_ways(&p);
            }
            if (sizes[k][2]) {
                p = linear(MDM_OP_LINEAR2, sizes[k][0], sizes[k][1], sizes[k][2], sizes[k][3], bias);
                check_both_ways(&p);
            }
        }
}
END_TEST

START_TEST(pre_activation_may_be_absent)
{
    struct problem p = linear(MDM_OP_LINEAR_SILU, 70, 30, 0, 41, 1);

    p.forward_only = 1;
    p.drop = 1u << 1;
    check_problem(&p);
}
END_TEST

/* Image i of eight has the bits that it has alone. */
START_TEST(an_image_does_not_see_its_batch)
{
    static const int64_t rows[] = {1, 16, 65, 257, 300};
    enum { BATCH = 8, IN = 40, OUT = 150 };
    struct table t[MOST_TABLES];
    int tables = list_tables(t);

    for (size_t k = 0; k < MDM_LENGTH(rows); k++)
        for (int table = 1; table < tables; table++) {
            struct problem many = linear(MDM_OP_LINEAR_SILU, rows[k] * BATCH, IN, 0, OUT, 1);
            struct problem one = linear(MDM_OP_LINEAR_SILU, rows[k], IN, 0, OUT, 1);
            struct start s = draw_start(&many), single = s;
            struct results all, r;
            many.forward_only = one.forward_only = 1;
            many.row_group = one.row_group = rows[k];
            all = run_once(&many, &s, &t[table].rows, MDM_F32, 2);
            for (int i = 0; i < BATCH; i++) {
                single.in[0] = s.in[0] + i * rows[k] * IN;
                r = run_once(&one, &single, &t[table].rows, MDM_F32, 1);
                ck_assert_mem_eq(r.value[0], all.value[0] + i * rows[k] * OUT, r.numel[0] * sizeof(double));
                drop_results(&r);
            }
            drop_results(&all);
            drop_start(&s);
        }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, all_shapes);
    tcase_add_test(c, pre_activation_may_be_absent);
    tcase_add_test(c, an_image_does_not_see_its_batch);
}

int main(void)
{
    return run_suite("linear", add_tests);
}
