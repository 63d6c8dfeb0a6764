/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Weights that are stored in 16 bits: products and convolutions of them have the bits of those of a float weight of
 * the same values, by every table and number of threads; and what 16 bits say, by every set.
 */
#include "twin.h"

#include "backend/cpu/tile/tile.h"
#include "tensor/half.h"
#include "tensorfile/tensorfile.h"

enum { VALUES = 1 << 16 };

static const enum mdm_dtype types[] = {MDM_BF16, MDM_F16};

static float value_of(enum mdm_dtype type, uint16_t half)
{
    return type == MDM_F16 ? mdm_half_f16(half) : mdm_half_bf16(half);
}

/* By its formula: (-1)^s 2^(e-15) (1 + f / 1024), 2^-14 f / 1024 for e = 0. */
START_TEST(half_precision_is_its_formula)
{
    for (unsigned bits = 0; bits < VALUES; bits++) {
        const int e = bits >> 10 & 31, f = bits & 1023;
        const double size = e ? ldexp(1024 + f, e - 25) : ldexp(f, -24);
        const float got = mdm_half_f16((uint16_t)bits);

        if (e == 31)
            ck_assert(f ? isnan(got) : isinf(got));
        else
            ck_assert(fabs((double)got) == size);
        ck_assert_int_eq(signbit(got) != 0, bits >> 15);
    }
}
END_TEST

START_TEST(every_set_widens_every_value)
{
    static uint16_t half[VALUES];
    static float got[VALUES + 1];
    struct table t[MOST_TABLES];
    const int tables = fill_tables(t);

    for (int i = 0; i < VALUES; i++)
        half[i] = (uint16_t)i;
    for (int table = 0; table < tables; table++)
        for (size_t k = 0; k < MDM_LENGTH(types) && t[table].rows.tile; k++)
            for (int64_t from = 0; from < 3; from++) { /* also where vectors end elsewhere */
                const int64_t n = VALUES - 5 * from;

                got[n] = 7;
                t[table].rows.tile->widen(got, half + from, types[k], n);
                ck_assert_float_eq(got[n], 7);
                for (int64_t i = 0; i < n; i++) {
                    const float want = value_of(types[k], half[from + i]);

                    if (isfinite(want))
                        ck_assert_msg(memcmp(&got[i], &want, sizeof want) == 0, "%s: %04x is %g, not %g",
                                      t[table].name, half[from + i], (double)got[i], (double)want);
                }
            }
}
END_TEST

/* Weight `w` of the problem, of values that the type holds and a few that are below its normal numbers. */
static uint16_t *round_weight(struct start *s, const struct problem *p, int w, enum mdm_dtype type)
{
    const size_t n = numel(&p->in[w]);
    uint16_t *half = malloc((n + 1) * sizeof *half);

    ck_assert_ptr_nonnull(half);
    for (size_t i = 0; i < n; i++) {
        const float x = (float)(i % 11 == 3 ? 1e-5 * s->in[w][i] : s->in[w][i]);

        half[i] = type == MDM_F16 ? mdm_tensorfile_to_f16(x) : mdm_tensorfile_to_bf16(x);
        s->in[w][i] = (double)value_of(type, half[i]);
    }
    return half;
}

static void check_stored(struct problem p, int w)
{
    struct table t[MOST_TABLES];
    const int tables = fill_tables(t);

    p.forward_only = 1;
    for (size_t k = 0; k < MDM_LENGTH(types); k++) {
        struct start s = draw_start(&p);
        uint16_t *half = round_weight(&s, &p, w, types[k]);
        struct problem stored = p;

        stored.fixed[w] = half;
        stored.stored = types[k];
        for (int table = 0; table < tables; table++) {
            struct results want = run_once(&p, &s, &t[table].rows, MDM_F32, 1);

            for (int workers = 1; workers <= 3; workers++) {
                struct results got = run_once(&stored, &s, &t[table].rows, MDM_F32, workers);

                expect_same(t[table].name, &got, &want);
                drop_results(&got);
            }
            drop_results(&want);
        }
        free(half);
        drop_start(&s);
    }
}

static struct problem linear(enum mdm_op_id op, int64_t rows, int64_t i, int64_t j, int64_t o)
{
    struct problem p = {.op = op, .outs = 1};

    p.in[p.ins++] = mdm_shape2(rows, i);
    if (j)
        p.in[p.ins++] = mdm_shape2(rows, j);
    p.in[p.ins++] = mdm_shape2(o, i + j);
    p.in[p.ins++] = mdm_shape1(o);
    p.out[0] = mdm_shape2(rows, o);
    if (op == MDM_OP_LINEAR_SILU)
        p.out[p.outs++] = p.out[0];
    return p;
}

/* Also more columns than are packed at a time, and more of k than a block. */
static const int64_t sizes[][4] = {{1, 1, 1, 1},      {3, 7, 5, 6},       {65, 9, 15, 17},   {130, 48, 3, 31},
                                   {7, 160, 131, 75}, {5, 300, 257, 130}, {2, 40, 24, 2300}, {3, 1100, 8, 40}};

START_TEST(linear_maps)
{
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
        check_stored(linear(MDM_OP_LINEAR, sizes[k][0], sizes[k][1], 0, sizes[k][3]), 1);
        check_stored(linear(MDM_OP_LINEAR_SILU, sizes[k][0], sizes[k][1], 0, sizes[k][3]), 1);
        check_stored(linear(MDM_OP_LINEAR2, sizes[k][0], sizes[k][1], sizes[k][2], sizes[k][3]), 2);
    }
}
END_TEST

/* B, H, W, I, O, side of w, stride */
static const int64_t images[][7] = {{2, 4, 5, 3, 16, 3, 1}, {1, 9, 7, 18, 10, 3, 2}, {2, 7, 9, 30, 8, 1, 1},
                                    {2, 7, 9, 4, 6, 1, 2},  {1, 5, 5, 120, 24, 3, 1}};

START_TEST(convolutions)
{
    for (size_t k = 0; k < MDM_LENGTH(images); k++) {
        const int64_t *s = images[k], before = s[5] / 2;
        struct problem p = {.op = MDM_OP_CONV, .ins = 4, .outs = 1, .attr = {s[6], before, before, 0}};

        p.in[0] = mdm_shape4(s[0], s[1], s[2], s[3]);
        p.in[1] = mdm_shape4(s[4], s[3], s[5], s[5]);
        p.in[2] = mdm_shape1(s[4]);
        p.out[0] = mdm_shape4(s[0], (s[1] + 2 * before - s[5]) / s[6] + 1,
                              (s[2] + 2 * before - s[5]) / s[6] + 1, s[4]);
        check_stored(p, 1);
    }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, half_precision_is_its_formula);
    tcase_add_test(c, every_set_widens_every_value);
    tcase_add_test(c, linear_maps);
    tcase_add_test(c, convolutions);
}

int main(void)
{
    return run_suite("stored", add_tests);
}
