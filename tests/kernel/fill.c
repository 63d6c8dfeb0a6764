/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fill against its double build, and where it takes what from.
 */
#include "twin.h"

/* B, N, e, R, D */
static const int64_t sizes[][5] = {{1, 1, 0, 1, 1}, {2, 5, 0, 2, 3}, {2, 7, 2, 3, 8}, {3, 6, 1, 5, 17}};
static const int32_t keep[][15] = {
    {0}, {1, 4, 0, 3}, {0, 2, 4, 1, 3, 4}, {0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4}};
static const int32_t dropped[][3] = {{0}, {1, 0}, {0, 1}, {1, 0, 1}};

enum { SOME, SOME_DROPPED, ALL, ALL_DROPPED, NOTHING, WAYS };

static struct problem fill(size_t k, int way)
{
    const int64_t *s = sizes[k];
    struct problem p = {.op = MDM_OP_FILL, .ins = 4, .outs = 1, .attr = {s[2]}};

    p.in[0] = mdm_shape1(s[4]);
    p.out[0] = mdm_shape3(s[0], s[1], s[4]);
    if (way != NOTHING)
        p.in[1] = mdm_shape3(s[0], way < ALL ? s[2] + s[3] : s[1], s[4]);
    if (way < ALL) {
        p.in[2] = mdm_shape2(s[0], s[3]);
        p.fixed[2] = keep[k];
    }
    if (way == SOME_DROPPED || way == ALL_DROPPED) {
        p.in[3] = mdm_shape1(s[0]);
        p.fixed[3] = dropped[k];
    }
    return p;
}

START_TEST(all_shapes)
{
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++)
        for (int way = 0; way < WAYS; way++) {
            struct problem p = fill(k, way);

            check_both_ways(&p);
            p.still = 1; /* as a frozen filler is */
            check_both_ways(&p);
        }
}
END_TEST

/* Tokens 0 .. 6 of two images of which 2 are extra; -1 is the filler. */
START_TEST(places_are_those_of_route)
{
    static const double want[WAYS][2][7] = {
        {{100, 101, 102, -1, 103, -1, 104}, {105, 106, -1, 107, -1, 108, 109}},
        {{100, 101, 102, -1, 103, -1, 104}, {-1, -1, -1, -1, -1, -1, -1}},
        {{100, 101, 102, 103, 104, 105, 106}, {107, 108, 109, 110, 111, 112, 113}},
        {{100, 101, 102, 103, 104, 105, 106}, {-1, -1, -1, -1, -1, -1, -1}},
        {{-1, -1, -1, -1, -1, -1, -1}, {-1, -1, -1, -1, -1, -1, -1}}};
    struct table t[MOST_TABLES];
    int tables = list_tables(t);

    for (int i = 0; i < tables; i++)
        for (int way = 0; way < WAYS; way++) {
            struct problem p = fill(2, way);
            struct start s;
            struct results r;

            p.forward_only = 1;
            s = draw_start(&p);
            for (size_t k = 0; k < 8; k++)
                s.in[0][k] = -1;
            for (size_t k = 0; way != NOTHING && k < numel(&p.in[1]); k++)
                s.in[1][k] = (double)(100 + k / 8);
            r = run_once(&p, &s, &t[i].rows, MDM_F32, 2);
            for (int k = 0; k < 2 * 7 * 8; k++)
                ck_assert_double_eq(r.value[0][k], want[way][k / 56][k / 8 % 7]);
            drop_results(&r);
            drop_start(&s);
        }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, all_shapes);
    tcase_add_test(c, places_are_those_of_route);
}

int main(void)
{
    return run_suite("fill", add_tests);
}
