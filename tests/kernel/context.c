/* SPDX-License-Identifier: BSD-2-Clause
 *
 * context against its double build, and against numbers worked out by hand.
 */
#include "twin.h"

/* B, N, L, D */
static const int64_t sizes[][4] = {{1, 1, 1, 1}, {2, 5, 3, 8}, {3, 2, 4, 17}, {2, 1, 9, 40}};

static struct problem context(const int64_t *s)
{
    struct problem p = {.op = MDM_OP_CONTEXT, .ins = 3, .outs = 1};

    p.in[0] = mdm_shape3(s[0], s[1], s[3]);
    p.in[1] = mdm_shape2(s[0], s[3]);
    p.in[2] = mdm_shape3(1, s[2], s[3]);
    p.out[0] = mdm_shape3(s[0], s[2] + s[1], s[3]);
    return p;
}

START_TEST(all_shapes)
{
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
        struct problem p = context(sizes[k]);
        check_both_ways(&p);
    }
}
END_TEST

/* Two images of one token of one value, behind two places. */
START_TEST(every_image_has_its_own_row_before_it)
{
    static const double want[] = {100 + 10, 100 + 20, 1, 200 + 10, 200 + 20, 2};
    struct table t[MOST_TABLES];
    int tables = list_tables(t);

    for (int i = 0; i < tables; i++) {
        struct problem p = context((const int64_t[]){2, 1, 2, 1});
        struct start s;
        struct results r;

        p.forward_only = 1;
        s = draw_start(&p);
        for (int k = 0; k < 2; k++) {
            s.in[0][k] = 1 + k;
            s.in[1][k] = 100 + 100 * k;
            s.in[2][k] = 10 + 10 * k;
        }
        r = run_once(&p, &s, &t[i].rows, MDM_F32, 1);
        for (int k = 0; k < 6; k++)
            ck_assert_double_eq(r.value[0][k], want[k]);
        drop_results(&r);
        drop_start(&s);
    }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, all_shapes);
    tcase_add_test(c, every_image_has_its_own_row_before_it);
}

int main(void)
{
    return run_suite("context", add_tests);
}
