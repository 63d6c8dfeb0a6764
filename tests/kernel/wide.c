/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Operations that move and sum rows, against their double build, where there is more of something than the other
 * tests of them have: rows longer than a device's threads take in one go, more rows than are summed in one, and
 * widths that go by packs in every type.
 */
#include "twin.h"

enum { MOST_INDICES = 1024 };

static int32_t indices[MOST_INDICES];

/* Of each image `count` indices below limit: rising, or the other way round where `falling`, and no image as another
 * where there is room. */
static const int32_t *draw_indices(int64_t images, int64_t count, int64_t limit, int falling)
{
    ck_assert_int_le(images * count, MOST_INDICES);
    for (int64_t b = 0; b < images; b++)
        for (int64_t k = 0; k < count; k++) {
            const int64_t spread = limit / count, i = falling ? count - 1 - k : k;

            indices[b * count + k] = (int32_t)(i * spread + b % spread);
        }
    return indices;
}

static void check_tokens(int64_t batch, int64_t visible, int64_t places, int64_t d)
{
    struct problem p = {.op = MDM_OP_TOKENS, .ins = 5, .outs = 1};

    p.in[0] = mdm_shape3(batch, visible, d);
    p.in[1] = mdm_shape3(1, 3 + places, d);
    p.in[2] = mdm_shape2(batch, visible);
    p.fixed[2] = draw_indices(batch, visible, places, 1);
    p.in[3] = mdm_shape2(batch, d);
    p.in[4] = mdm_shape3(batch, 2, d);
    p.out[0] = mdm_shape3(batch, 3 + visible, d);
    check_both_ways(&p);
}

START_TEST(tokens)
{
    check_tokens(3, 2, 5, 1048);
    check_tokens(70, 2, 5, 8);
}
END_TEST

START_TEST(labels)
{
    static int32_t label[70];
    struct problem p = {.op = MDM_OP_EMBED, .ins = 3, .outs = 1};

    for (int i = 0; i < 70; i++)
        label[i] = i % 7 < 4 ? i % 7 : -1;
    p.in[0] = mdm_shape1(70);
    p.fixed[0] = label;
    p.in[1] = mdm_shape2(6, 264);
    p.in[2] = mdm_shape2(1, 264);
    p.out[0] = mdm_shape2(70, 264);
    check_both_ways(&p);
    p.ins = 2;
    check_both_ways(&p);
}
END_TEST

START_TEST(context)
{
    struct problem p = {.op = MDM_OP_CONTEXT, .ins = 3, .outs = 1};

    p.in[0] = mdm_shape3(40, 3, 24);
    p.in[1] = mdm_shape2(40, 24);
    p.in[2] = mdm_shape3(1, 37, 24);
    p.out[0] = mdm_shape3(40, 40, 24);
    check_both_ways(&p);
}
END_TEST

START_TEST(fill)
{
    static const int32_t dropped[] = {0, 1, 0};
    struct problem p = {.op = MDM_OP_FILL, .ins = 4, .outs = 1, .attr = {2}};

    p.in[0] = mdm_shape1(16);
    p.in[1] = mdm_shape3(3, 2 + 80, 16);
    p.in[2] = mdm_shape2(3, 80);
    p.fixed[2] = draw_indices(3, 80, 240, 0);
    p.in[3] = mdm_shape1(3);
    p.fixed[3] = dropped;
    p.out[0] = mdm_shape3(3, 2 + 240, 16);
    check_both_ways(&p);
}
END_TEST

START_TEST(routes)
{
    for (int back = 0; back <= 1; back++) {
        struct problem p = {.op = back ? MDM_OP_UNROUTE : MDM_OP_ROUTE, .ins = 2 + back, .outs = 1, .attr = {1}};

        p.in[0] = mdm_shape3(3, 1 + 9, 1048);
        p.in[1] = p.out[0] = mdm_shape3(3, 1 + 4, 1048);
        p.in[1 + back] = mdm_shape2(3, 4);
        p.fixed[1 + back] = draw_indices(3, 4, 9, 0);
        if (back)
            p.out[0] = p.in[0];
        check_both_ways(&p);
    }
}
END_TEST

START_TEST(trim)
{
    struct problem p = {.op = MDM_OP_TRIM, .ins = 1, .outs = 1, .attr = {3}};

    p.in[0] = mdm_shape3(2, 9, 520);
    p.out[0] = mdm_shape3(2, 4, 520);
    check_both_ways(&p);
}
END_TEST

START_TEST(concat)
{
    struct problem p = {.op = MDM_OP_CONCAT, .ins = 3, .outs = 1};

    p.in[0] = mdm_shape2(3, 1048);
    p.in[1] = mdm_shape2(3, 8);
    p.in[2] = mdm_shape2(3, 4200);
    p.out[0] = mdm_shape2(3, 1048 + 8 + 4200);
    check_both_ways(&p);
}
END_TEST

START_TEST(patches)
{
    static const enum mdm_op_id ops[] = {MDM_OP_PATCHIFY, MDM_OP_CUT, MDM_OP_PASTE};

    for (size_t k = 0; k < MDM_LENGTH(ops); k++) {
        struct problem p = {.op = ops[k], .ins = 2, .outs = 1, .attr = {8}};
        const struct mdm_shape image = mdm_shape4(2, 24, 16, 3), patch = mdm_shape3(2, 3, 8 * 8 * 3);

        p.in[0] = ops[k] == MDM_OP_PASTE ? patch : image;
        p.in[1] = mdm_shape2(2, 3);
        p.fixed[1] = draw_indices(2, 3, 6, ops[k] != MDM_OP_PASTE);
        p.out[0] = ops[k] == MDM_OP_PASTE ? image : patch;
        check_both_ways(&p);
    }
}
END_TEST

START_TEST(matrices)
{
    struct problem p = {.op = MDM_OP_TRANSPOSE, .ins = 1, .outs = 1, .attr = {3}};

    p.in[0] = p.out[0] = mdm_shape2(40, 3 * 64);
    check_both_ways(&p);
}
END_TEST

START_TEST(pools)
{
    static const enum mdm_op_id ops[] = {MDM_OP_MAX_POOL, MDM_OP_AVERAGE_POOL};

    for (size_t k = 0; k < MDM_LENGTH(ops); k++) {
        struct problem p = {.op = ops[k], .ins = 1, .outs = 1, .attr = {2, 1, 1, 3}};

        p.in[0] = mdm_shape4(2, 9, 6, 16);
        p.out[0] = mdm_shape4(2, 5, 3, 16);
        check_both_ways(&p);
    }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, tokens);
    tcase_add_test(c, labels);
    tcase_add_test(c, context);
    tcase_add_test(c, fill);
    tcase_add_test(c, routes);
    tcase_add_test(c, trim);
    tcase_add_test(c, concat);
    tcase_add_test(c, patches);
    tcase_add_test(c, matrices);
    tcase_add_test(c, pools);
}

int main(void)
{
    return run_suite("wide", add_tests);
}
