/* SPDX-License-Identifier: BSD-2-Clause
 *
 * modulate and gate_add against their double build, and against numbers worked out by hand.
 */
#include "twin.h"

/* B, N, D, rows of D in m, and which of them */
static const int64_t sizes[][6] = {{1, 1, 3, 2, 0, 1},   {2, 7, 8, 6, 3, 4},    {3, 64, 9, 3, 2, 0},
                                   {2, 65, 17, 6, 1, 5}, {1, 130, 40, 2, 1, 0}, {2, 33, 512, 3, 0, 2},
                                   {530, 1, 8, 2, 0, 1}, {1, 600, 8, 2, 0, 1},  {2, 5, 1536, 2, 1, 0}};

static struct problem modulate(const int64_t *s)
{
    struct problem p = {.op = MDM_OP_MODULATE, .ins = 2, .outs = 2, .bound = 1e-5, .constant = {1e-6}};

    p.in[0] = p.out[0] = mdm_shape3(s[0], s[1], s[2]);
    p.in[1] = mdm_shape2(s[0], s[2] * s[3]);
    p.out[1] = mdm_shape2(s[0] * s[1], 2);
    p.attr[0] = s[4] * s[2];
    p.attr[1] = s[5] * s[2];
    p.aux = 1u << 1;
    p.remade_out = 1u << 0;
    p.remake_in = 1u << 0 | 1u << 1;
    return p;
}

START_TEST(modulate_all_shapes)
{
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
        struct problem p = modulate(sizes[k]);
        check_both_ways(&p);
    }
}
END_TEST

START_TEST(statistics_may_be_absent)
{
    struct problem p = modulate(sizes[3]);

    p.forward_only = 1;
    p.drop = p.aux;
    check_problem(&p);
}
END_TEST

START_TEST(gate_add_all_shapes)
{
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
        const int64_t *s = sizes[k];
        struct problem p = {.op = MDM_OP_GATE_ADD, .ins = 3, .outs = 1, .bound = 1e-5};

        p.in[0] = p.in[1] = p.out[0] = mdm_shape3(s[0], s[1], s[2]);
        p.in[2] = mdm_shape2(s[0], s[2] * s[3]);
        p.attr[0] = s[4] * s[2];
        check_both_ways(&p);
    }
}
END_TEST

/* Two images of one token {-1, 1}, whose norm is itself; m's rows are scale, shift, gate. */
START_TEST(each_image_has_its_own_row)
{
    static const double m[] = {1, 0, 10, 20, 2, 3, /* the second image */ 0, 1, 30, 40, 5, 7};
    static const double norm[] = {-2 + 10, 1 + 20, -1 + 30, 2 + 40}, gated[] = {-1 - 2, 1 + 3, -1 - 5, 1 + 7};
    struct table t[MOST_TABLES];
    int tables = list_tables(t);

    for (int gate = 0; gate <= 1; gate++)
        for (int i = 0; i < tables; i++) {
            struct problem p = modulate((const int64_t[]){2, 1, 2, 3, 0, 1});
            struct start s;
            struct results r;

            p.constant[0] = 0;
            if (gate) {
                p = (struct problem){.op = MDM_OP_GATE_ADD, .ins = 3, .outs = 1, .attr = {4}};
                p.in[0] = p.in[1] = p.out[0] = mdm_shape3(2, 1, 2);
                p.in[2] = mdm_shape2(2, 6);
            }
            p.forward_only = 1;
            s = draw_start(&p);
            for (int k = 0; k < 4; k++)
                s.in[0][k] = s.in[gate][k] = k % 2 ? 1 : -1;
            memcpy(s.in[1 + gate], m, sizeof m);
            r = run_once(&p, &s, &t[i].rows, MDM_F32, 1);
            for (int k = 0; k < 4; k++)
                ck_assert_double_eq_tol(r.value[0][k], gate ? gated[k] : norm[k], 1e-5);
            drop_results(&r);
            drop_start(&s);
        }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, modulate_all_shapes);
    tcase_add_test(c, statistics_may_be_absent);
    tcase_add_test(c, gate_add_all_shapes);
    tcase_add_test(c, each_image_has_its_own_row);
}

int main(void)
{
    return run_suite("modulate", add_tests);
}
