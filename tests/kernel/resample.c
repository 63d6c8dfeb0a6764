/* SPDX-License-Identifier: BSD-2-Clause
 *
 * upsample and downsample against their double build, and the pixels of one small image.
 */
#include "twin.h"

/* Of the smaller image: B, H, W, C */
static const int64_t sizes[][4] = {{1, 1, 1, 1}, {2, 3, 5, 3}, {1, 4, 2, 17}, {3, 2, 2, 40}};

static struct problem resample(const int64_t *s, int up)
{
    struct problem p = {.op = up ? MDM_OP_UPSAMPLE : MDM_OP_DOWNSAMPLE, .ins = 1, .outs = 1};

    p.in[0] = mdm_shape4(s[0], s[1], s[2], s[3]);
    p.out[0] = mdm_shape4(s[0], 2 * s[1], 2 * s[2], s[3]);
    if (up) {
        p.remade_out = p.remake_in = 1u << 0;
    } else {
        p.in[0] = p.out[0];
        p.out[0] = mdm_shape4(s[0], s[1], s[2], s[3]);
    }
    return p;
}

START_TEST(all_shapes)
{
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++)
        for (int up = 0; up <= 1; up++) {
            struct problem p = resample(sizes[k], up);

            check_both_ways(&p);
        }
}
END_TEST

START_TEST(pixels_stand_where_they_should)
{
    static const int64_t size[] = {1, 1, 2, 2};
    static const double small[] = {1, 2, 3, 4}, large[] = {1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4};
    static const double rough[] = {0, 1, 4, 3, 9, 8, -1, 0, 0, 1, 0, 3, 2, 4, 2, 4}, means[] = {1, 2, 3, 4};
    struct table t[MOST_TABLES];
    const int tables = list_tables(t);

    for (int i = 0; i < tables; i++)
        for (int up = 0; up <= 1; up++) {
            struct problem p = resample(size, up);
            struct start s;
            struct results r;

            p.forward_only = 1;
            s = draw_start(&p);
            memcpy(s.in[0], up ? small : rough, up ? sizeof small : sizeof rough);
            r = run_once(&p, &s, &t[i].rows, MDM_F32, 1);
            ck_assert_mem_eq(r.value[0], up ? large : means, up ? sizeof large : sizeof means);
            drop_results(&r);
            drop_start(&s);
        }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, all_shapes);
    tcase_add_test(c, pixels_stand_where_they_should);
}

int main(void)
{
    return run_suite("resample", add_tests);
}
