/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Random numbers: the known answers of Random123, and the distributions that are made of them. The normal
 * deviates are held to the C library's functions in double.
 */
#include "base/error.h"
#include "base/rng.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

START_TEST(known_answers)
{
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } row[] = {{{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
               {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
                {0xffffffff, 0xffffffff},
                {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
               {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                {0xa4093822, 0x299f31d0},
                {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};
    uint32_t out[4];

    for (size_t i = 0; i < MDM_LENGTH(row); i++) {
        mdm_philox(out, row[i].counter, row[i].key);
        ck_assert_mem_eq(out, row[i].out, sizeof out);
    }
}
END_TEST

START_TEST(streams_do_not_collide)
{
    static const uint64_t value[] = {
        0, 1, 0xffffffff, (uint64_t)1 << 32, ((uint64_t)1 << 40) + 1, ((uint64_t)1 << 44) - 1};
    enum { N = sizeof value / sizeof *value };
    uint32_t seen[2 * N * N][4];
    int n = 0;

    for (int purpose = 1; purpose <= 2; purpose++)
        for (int i = 0; i < N; i++)
            for (int k = 0; k < N; k++) {
                struct mdm_rng r = mdm_rng_make(1, (enum mdm_purpose)purpose, value[i], value[k]);

                memcpy(seen[n], r.counter, sizeof r.counter);
                for (int m = 0; m < n; m++)
                    ck_assert(memcmp(seen[m], seen[n], sizeof seen[n]) != 0);
                n++;
            }
}
END_TEST

START_TEST(words_follow_the_blocks)
{
    struct mdm_rng r = mdm_rng_make(0x123456789abcdef0u, MDM_DRAW_MASK, 5, 6), start = r;
    uint32_t block[4], counter[4];

    memcpy(counter, start.counter, sizeof counter);
    for (uint32_t b = 0; b < 3; b++) {
        counter[0] = b;
        mdm_philox(block, counter, start.key);
        for (int i = 0; i < 4; i++)
            ck_assert_uint_eq(mdm_rng_u32(&r), block[i]);
    }
    ck_assert_uint_eq(start.key[0], 0x9abcdef0u);
    ck_assert_uint_eq(start.key[1], 0x12345678u);
}
END_TEST

START_TEST(ranges_are_even)
{
    enum { LIMIT = 7, DRAWS = 70000 };
    struct mdm_rng r = mdm_rng_make(3, MDM_DRAW_MASK, 0, 0);
    double count[LIMIT] = {0}, chi2 = 0, sum = 0;

    for (int i = 0; i < DRAWS; i++) {
        uint32_t v = mdm_rng_range(&r, LIMIT);

        ck_assert_uint_lt(v, LIMIT);
        count[v]++;
    }
    for (int i = 0; i < LIMIT; i++)
        chi2 += (count[i] - DRAWS / LIMIT) * (count[i] - DRAWS / LIMIT) / (DRAWS / LIMIT);
    ck_assert_double_lt(chi2, 27.9); /* 6 degrees of freedom, 1e-4 */
    ck_assert_uint_eq(mdm_rng_range(&r, 1), 0);
    for (int i = 0; i < 1000; i++)
        ck_assert_uint_lt(mdm_rng_range(&r, 0xc0000000u), 0xc0000000u);
    for (int i = 0; i < 1000; i++) {
        struct mdm_rng word = r;

        /* A power of two divides the words evenly, so that none is thrown away. */
        ck_assert_uint_eq(mdm_rng_range(&r, 1u << 31), mdm_rng_u32(&word) >> 1);
    }
    for (int i = 0; i < DRAWS; i++) {
        double u = mdm_rng_uniform(&r);

        ck_assert(u >= 0 && u < 1);
        sum += u;
    }
    ck_assert_double_lt(fabs(sum / DRAWS - 0.5), 5 * sqrt(1.0 / 12 / DRAWS));
}
END_TEST

START_TEST(normals_match_the_c_library)
{
    enum { N = 200000 };
    struct mdm_rng r = mdm_rng_make(11, MDM_DRAW_NOISE, 3, 9), words = r;
    float *z = malloc(N * sizeof *z);
    double worst = 0;

    mdm_rng_normal(z, N, &r, 0);
    for (int i = 0; i < N; i += 2) {
        double u = (mdm_rng_u32(&words) + 0.5) / 4294967296.0, v = mdm_rng_u32(&words) / 4294967296.0;
        double radius = sqrt(-2 * log(u)), angle = 8 * atan(1) * v;
        double e0 = fabs(z[i] - radius * cos(angle)), e1 = fabs(z[i + 1] - radius * sin(angle));

        worst = fmax(worst, fmax(e0, e1) / fmax(1, radius));
    }
    ck_assert_double_lt(worst, 6.1e-8); /* half a unit in the last place of float */
    free(z);
}
END_TEST

START_TEST(pieces_equal_the_whole)
{
    enum { N = 1000 };
    static const size_t cut[] = {0, 4, 8, 72, 73, 137, 200, 500, 998, N};
    struct mdm_rng r = mdm_rng_make(11, MDM_DRAW_NOISE, 3, 9), moved = r;
    float whole[N], part[N];

    mdm_rng_normal(whole, N, &r, 0);
    (void)mdm_rng_u32(&moved);
    for (size_t i = 0; i + 1 < MDM_LENGTH(cut); i++)
        mdm_rng_normal(part + cut[i], cut[i + 1] - cut[i], &moved, cut[i]);
    ck_assert_mem_eq(whole, part, sizeof whole);
}
END_TEST

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

/* Moments within five standard errors, and the Kolmogorov-Smirnov distance at 1e-4. */
START_TEST(normals_are_normal)
{
    enum { N = 400000 };
    struct mdm_rng r = mdm_rng_make(5, MDM_DRAW_NOISE, 0, 0);
    float *z = malloc(N * sizeof *z);
    double m1 = 0, m2 = 0, m3 = 0, m4 = 0, lag = 0, d = 0, root = sqrt(N);

    mdm_rng_normal(z, N, &r, 0);
    for (int i = 0; i < N; i++) {
        double x = z[i];

        m1 += x / N;
        m2 += x * x / N;
        m3 += x * x * x / N;
        m4 += x * x * x * x / N;
        lag += x * z[(i + 1) % N] / N;
    }
    ck_assert_double_lt(fabs(m1) * root, 5);
    ck_assert_double_lt(fabs(m2 - 1) * root, 5 * sqrt(2));
    ck_assert_double_lt(fabs(m3) * root, 5 * sqrt(15));
    ck_assert_double_lt(fabs(m4 - 3) * root, 5 * sqrt(96));
    ck_assert_double_lt(fabs(lag) * root, 5);
    qsort(z, N, sizeof *z, ascending);
    for (int i = 0; i < N; i++)
        d = fmax(d, fabs((i + 0.5) / N - 0.5 * erfc(-z[i] / sqrt(2))));
    ck_assert_double_lt(d * root, 2.23);
    free(z);
}
END_TEST

START_TEST(permutations_permute)
{
    static const uint64_t size[] = {1, 2, 3, 5, 16, 255, 256, 257, 1000, 4097};
    unsigned char *seen = malloc(5000);

    for (size_t k = 0; k < MDM_LENGTH(size); k++) {
        uint64_t n = size[k], fixed = 0;

        memset(seen, 0, n);
        for (uint64_t i = 0; i < n; i++) {
            uint64_t to = mdm_rng_permute(9, MDM_DRAW_ORDER, 2, i, n);

            ck_assert_uint_lt(to, n);
            ck_assert(!seen[to]);
            seen[to] = 1;
            fixed += to == i;
        }
        if (n > 200)
            ck_assert_uint_lt(fixed, 10);
    }
    ck_assert_uint_lt(mdm_rng_permute(9, MDM_DRAW_ORDER, 2, 5, (uint64_t)1 << 40), (uint64_t)1 << 40);
    ck_assert_uint_lt(mdm_rng_permute(9, MDM_DRAW_ORDER, 2, 5, UINT64_MAX), UINT64_MAX);
    free(seen);
}
END_TEST

/* Where the first of six elements goes, over many epochs, and the order of the first two. */
START_TEST(small_permutations_are_even)
{
    enum { N = 6, EPOCHS = 12000 };
    double count[N][N] = {{0}}, rising = 0, chi2;

    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
        uint64_t to[N];

        for (uint64_t i = 0; i < N; i++) {
            to[i] = mdm_rng_permute(1, MDM_DRAW_ORDER, epoch, i, N);
            count[i][to[i]]++;
        }
        rising += to[0] < to[1];
    }
    for (int i = 0; i < N; i++) {
        chi2 = 0;
        for (int k = 0; k < N; k++)
            chi2 += (count[i][k] - EPOCHS / N) * (count[i][k] - EPOCHS / N) / (EPOCHS / N);
        ck_assert_double_lt(chi2, 25.8); /* 5 degrees of freedom, 1e-4 */
    }
    ck_assert_double_lt(fabs(rising / EPOCHS - 0.5), 5 * 0.5 / sqrt(EPOCHS));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rng");
    TCase *t = tcase_create("rng");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, known_answers);
    tcase_add_test(t, streams_do_not_collide);
    tcase_add_test(t, words_follow_the_blocks);
    tcase_add_test(t, ranges_are_even);
    tcase_add_test(t, normals_match_the_c_library);
    tcase_add_test(t, pieces_equal_the_whole);
    tcase_add_test(t, normals_are_normal);
    tcase_add_test(t, permutations_permute);
    tcase_add_test(t, small_permutations_are_even);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
