/* SPDX-License-Identifier: BSD-2-Clause
 *
 * route and unroute against their double build, and that the one undoes the other.
 */
#include "twin.h"

/* B, N, e, R, D */
static const int64_t sizes[][5] = {
    {1, 1, 0, 1, 1}, {2, 5, 0, 2, 3}, {2, 7, 2, 3, 8}, {3, 6, 1, 5, 17}, {2, 4, 3, 1, 40}};
static const int32_t keep[][15] = {
    {0}, {1, 4, 0, 3}, {0, 2, 4, 1, 3, 4}, {0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4}, {0, 0}};

static struct problem route(size_t k, int back)
{
    const int64_t *s = sizes[k];
    struct problem p = {.op = back ? MDM_OP_UNROUTE : MDM_OP_ROUTE, .ins = 2 + back, .outs = 1, .attr = {s[2]}};

    p.in[0] = mdm_shape3(s[0], s[1], s[4]);
    p.in[1] = p.out[0] = mdm_shape3(s[0], s[2] + s[3], s[4]);
    p.in[1 + back] = mdm_shape2(s[0], s[3]);
    p.fixed[1 + back] = keep[k];
    if (back)
        p.out[0] = p.in[0];
    return p;
}

START_TEST(all_shapes)
{
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++)
        for (int back = 0; back <= 1; back++) {
            struct problem p = route(k, back);
            check_both_ways(&p);
        }
}
END_TEST

/* Tokens 0 .. 6 of which 2 are extra: 0, 2 and 4 behind them are kept in the first image. */
START_TEST(kept_tokens_go_on_and_come_back)
{
    static const double want[] = {0, 1, 2, 4, 6}, joined[] = {100, 101, 102, 3, 103, 5, 104};
    struct table t[MOST_TABLES];
    int tables = list_tables(t);

    for (int i = 0; i < tables; i++)
        for (int back = 0; back <= 1; back++) {
            struct problem p = route(2, back);
            struct start s;
            struct results r;

            p.forward_only = 1;
            s = draw_start(&p);
            for (int k = 0; k < 7; k++)
                s.in[0][k * 8] = k;
            for (int k = 0; back && k < 5; k++)
                s.in[1][k * 8] = 100 + k;
            r = run_once(&p, &s, &t[i].rows, MDM_F32, 1);
            for (int k = 0; k < (back ? 7 : 5); k++)
                ck_assert_double_eq(r.value[0][k * 8], back ? joined[k] : want[k]);
            drop_results(&r);
            drop_start(&s);
        }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, all_shapes);
    tcase_add_test(c, kept_tokens_go_on_and_come_back);
}

int main(void)
{
    return run_suite("route", add_tests);
}
