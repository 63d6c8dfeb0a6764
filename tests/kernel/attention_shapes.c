/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Attention against its double build over the shapes at which a device's kernels change: tokens around products of 16
 * and tiles of 32 and 64, heads of every width that has tiles of its own and of some that have none; and a device's
 * promise that an image has the same bits in any batch. attention.c holds the processor's own to their promises.
 */
#include "twin.h"

/* B, N, h, D/h */
static const int64_t sizes[][4] = {
    {2, 1, 2, 64},   {1, 16, 2, 32},  {2, 27, 2, 64},   {1, 29, 2, 80},  {1, 33, 1, 200}, {2, 40, 3, 7},
    {1, 64, 2, 8},   {1, 65, 1, 64},  {1, 100, 1, 128}, {1, 81, 1, 96},  {1, 257, 1, 64}, {1, 300, 1, 32},
    {1, 417, 1, 24}, {1, 417, 1, 64}, {1, 129, 2, 64},  {1, 150, 1, 48}, {1, 288, 1, 64}, {1, 289, 1, 64},
    {1, 321, 1, 56}, {1, 592, 1, 64}, {1, 593, 1, 64},  {1, 641, 1, 40}, {2, 193, 3, 64}, {1, 208, 1, 40},
    {1, 209, 1, 64}, {1, 705, 1, 64}};

static struct problem attention(const int64_t *s)
{
    struct problem p = {.op = MDM_OP_ATTENTION, .ins = 1, .outs = 2, .bound = 1e-5, .attr = {s[2]}, .aux = 2};

    p.in[0] = mdm_shape3(s[0], s[1], 3 * s[2] * s[3]);
    p.out[0] = mdm_shape3(s[0], s[1], s[2] * s[3]);
    p.out[1] = mdm_shape3(s[0], s[2], s[1]);
    return p;
}

START_TEST(all_shapes)
{
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
        struct problem p = attention(sizes[k]);

        p.amplitude = k % 2 ? 1 : 2;
        p.add = k % 3 == 1;
        check_problem(&p);
    }
}
END_TEST

START_TEST(gradients_are_written_or_added)
{
    for (size_t k = 0; k < 4; k++) {
        struct problem p = attention(sizes[k]);
        check_both_ways(&p);
    }
}
END_TEST

START_TEST(statistics_may_be_absent)
{
    for (size_t k = 2; k < 6; k++) {
        struct problem p = attention(sizes[k]);

        p.forward_only = 1;
        p.drop = p.aux;
        check_problem(&p);
    }
}
END_TEST

/* Scores of up to some hundred, in which rows are nearly of one key. Their gradients are small differences of what dy
 * has to do with y, which is rounded, and with v, which is 8 times as large as elsewhere. */
START_TEST(large_scores)
{
    for (size_t k = 2; k < 10; k += 2) {
        struct problem p = attention(sizes[k]);

        p.amplitude = 8;
        p.bound = 3e-5;
        p.rounded = 2e-2;
        check_problem(&p);
    }
}
END_TEST

/* The first image of three, and the same image alone. */
static void expect_same_alone(const int64_t *s, enum mdm_dtype type)
{
    const int64_t many[] = {3, s[1], s[2], s[3]}, one[] = {1, s[1], s[2], s[3]};
    struct problem p = attention(many), single = attention(one);
    const struct mdm_kernel *k = device_kernel(&p, type);
    struct start drawn = draw_start(&p), start;
    struct results all, alone;

    if (k) {
        start = round_start(&p, &drawn, type);
        all = run_on_device(k, &p, &start, type);
        alone = run_on_device(k, &single, &start, type);
        for (int i = 0; i < all.count; i++)
            ck_assert_msg(memcmp(all.value[i], alone.value[i], alone.numel[i] * sizeof(double)) == 0,
                          "result %d of N %d, width %d: other bits in a batch", i, (int)s[1], (int)s[3]);
        drop_results(&all);
        drop_results(&alone);
        drop_start(&start);
    }
    drop_start(&drawn);
}

START_TEST(the_batch_changes_no_bit)
{
    static const int64_t some[][4] = {{0, 27, 2, 64},  {0, 140, 2, 64}, {0, 193, 2, 64}, {0, 150, 2, 32},
                                      {0, 70, 1, 9},   {0, 257, 1, 64}, {0, 321, 1, 64}, {0, 641, 1, 64}};

    for (size_t k = 0; device_asked() && k < MDM_LENGTH(some); k++) {
        expect_same_alone(some[k], MDM_F32);
        expect_same_alone(some[k], MDM_BF16);
    }
}
END_TEST

/* Rows of whole packs, in which the second head does not begin at one; of those in float, and in bfloat16. */
START_TEST(heads_begin_anywhere)
{
    static const int64_t some[][4] = {{1, 20, 2, 66}, {1, 20, 2, 68}};

    for (size_t k = 0; k < MDM_LENGTH(some); k++) {
        struct problem p = attention(some[k]);
        check_problem(&p);
    }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, all_shapes);
    tcase_add_test(c, gradients_are_written_or_added);
    tcase_add_test(c, statistics_may_be_absent);
    tcase_add_test(c, large_scores);
    tcase_add_test(c, the_batch_changes_no_bit);
    tcase_add_test(c, heads_begin_anywhere);
}

int main(void)
{
    return run_suite("attention_shapes", add_tests);
}
