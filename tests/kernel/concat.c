/* SPDX-License-Identifier: BSD-2-Clause
 *
 * concat against its double build, and the order of its rows.
 */
#include "twin.h"

/* rows, and how long those of each part are; 0: there is none */
static const int64_t sizes[][4] = {{1, 1, 1, 0}, {70, 3, 5, 0}, {2, 8, 1, 17}, {65, 40, 8, 9}};

static struct problem concat(const int64_t *s)
{
    struct problem p = {.op = MDM_OP_CONCAT, .ins = s[3] ? 3 : 2, .outs = 1};

    for (int k = 0; k < p.ins; k++)
        p.in[k] = mdm_shape2(s[0], s[1 + k]);
    p.out[0] = mdm_shape2(s[0], s[1] + s[2] + s[3]);
    return p;
}

START_TEST(all_shapes)
{
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
        struct problem p = concat(sizes[k]);

        check_both_ways(&p);
    }
}
END_TEST

/* Images behind one another, of 3 x 4 and 5 x 2 values, and of tokens of one width. */
START_TEST(images_stand_behind_one_another)
{
    struct problem p = {.op = MDM_OP_CONCAT, .ins = 2, .outs = 1, .attr = {1}};

    p.in[0] = mdm_shape3(7, 3, 4);
    p.in[1] = mdm_shape3(7, 5, 2);
    p.out[0] = mdm_shape2(7, 22);
    check_both_ways(&p);
    p.in[1] = mdm_shape3(7, 5, 4);
    p.out[0] = mdm_shape3(7, 8, 4);
    check_both_ways(&p);
}
END_TEST

START_TEST(rows_stand_side_by_side)
{
    struct problem p = concat(sizes[3]);
    struct table t[MOST_TABLES];
    const int tables = list_tables(t);
    struct start s;

    p.forward_only = 1;
    s = draw_start(&p);
    for (int i = 0; i < tables; i++) {
        struct results r = run_once(&p, &s, &t[i].rows, MDM_F32, 2);

        for (int row = 0; row < 65; row++) {
            ck_assert_mem_eq(r.value[0] + row * 57, s.in[0] + row * 40, 40 * sizeof(double));
            ck_assert_mem_eq(r.value[0] + row * 57 + 40, s.in[1] + row * 8, 8 * sizeof(double));
            ck_assert_mem_eq(r.value[0] + row * 57 + 48, s.in[2] + row * 9, 9 * sizeof(double));
        }
        drop_results(&r);
    }
    drop_start(&s);
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, all_shapes);
    tcase_add_test(c, images_stand_behind_one_another);
    tcase_add_test(c, rows_stand_side_by_side);
}

int main(void)
{
    return run_suite("concat", add_tests);
}
