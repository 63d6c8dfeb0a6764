/* SPDX-License-Identifier: BSD-2-Clause
 *
 * cut, paste and hide against their double build, and numbers worked out by hand.
 */
#include "twin.h"

/* B, H, W, C, p, K */
static const int64_t sizes[][6] = {{1, 1, 1, 1, 1, 1}, {2, 4, 6, 3, 2, 3}, {3, 6, 3, 2, 3, 2}, {2, 8, 8, 4, 4, 4}};
static const int32_t single[] = {0}, some[] = {0, 3, 5, 1, 2, 4}, pair[] = {0, 1, 0, 1, 0, 1};
static const int32_t whole[] = {0, 1, 2, 3, 0, 1, 2, 3};
static const int32_t *const indices[] = {single, some, pair, whole};

static struct problem patches(enum mdm_op_id op, size_t k)
{
    const int64_t *s = sizes[k];
    struct problem p = {.op = op, .ins = 2, .outs = 1, .attr = {s[4]}};

    p.in[0] = mdm_shape4(s[0], s[1], s[2], s[3]);
    p.in[1] = mdm_shape2(s[0], s[5]);
    p.fixed[1] = indices[k];
    p.out[0] = mdm_shape3(s[0], s[5], s[4] * s[4] * s[3]);
    if (op == MDM_OP_PASTE) {
        p.in[0] = p.out[0];
        p.out[0] = mdm_shape4(s[0], s[1], s[2], s[3]);
    }
    if (op == MDM_OP_HIDE)
        p.out[0] = mdm_shape4(s[0], s[1], s[2], s[3] + 1);
    return p;
}

START_TEST(all_shapes)
{
    static const enum mdm_op_id ops[] = {MDM_OP_CUT, MDM_OP_PASTE, MDM_OP_HIDE};

    for (size_t k = 0; k < MDM_LENGTH(sizes); k++)
        for (size_t o = 0; o < MDM_LENGTH(ops); o++) {
            struct problem p = patches(ops[o], k);

            check_both_ways(&p);
        }
}
END_TEST

/* An image 2 x 4 with two channels, of which patch 1, the right half, is indexed. */
START_TEST(a_patch_keeps_its_channels_together)
{
    static const int32_t index[] = {1};
    static const double cut[] = {4, 5, 6, 7, 12, 13, 14, 15};
    static const double paste[] = {0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0, 0, 4, 5, 6, 7};
    static const double hide[] = {0, 0, 1, 0, 0, 1, 4, 5, 0, 6, 7, 0, 0, 0, 1, 0, 0, 1, 12, 13, 0, 14, 15, 0};
    static const struct {
        enum mdm_op_id op;
        const double *want;
        size_t n;
    } cases[] = {{MDM_OP_CUT, cut, MDM_LENGTH(cut)},
                 {MDM_OP_PASTE, paste, MDM_LENGTH(paste)},
                 {MDM_OP_HIDE, hide, MDM_LENGTH(hide)}};
    struct table t[MOST_TABLES];
    const int tables = list_tables(t);

    for (size_t k = 0; k < MDM_LENGTH(cases); k++)
        for (int i = 0; i < tables; i++) {
            struct problem p = {.op = cases[k].op, .ins = 2, .outs = 1, .attr = {2}, .forward_only = 1};
            const struct mdm_shape image = mdm_shape4(1, 2, 4, 2), patch = mdm_shape3(1, 1, 8);
            struct start s;
            struct results r;

            p.in[0] = cases[k].op == MDM_OP_PASTE ? patch : image;
            p.in[1] = mdm_shape2(1, 1);
            p.fixed[1] = index;
            p.out[0] = cases[k].op == MDM_OP_CUT ? patch : image;
            p.out[0].d[3] += cases[k].op == MDM_OP_HIDE;
            s = draw_start(&p);
            for (int n = 0; n < (int)mdm_shape_numel(&p.in[0]); n++)
                s.in[0][n] = n;
            r = run_once(&p, &s, &t[i].rows, MDM_F32, 1);
            ck_assert_mem_eq(r.value[0], cases[k].want, cases[k].n * sizeof(double));
            drop_results(&r);
            drop_start(&s);
        }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, all_shapes);
    tcase_add_test(c, a_patch_keeps_its_channels_together);
}

int main(void)
{
    return run_suite("cut", add_tests);
}
