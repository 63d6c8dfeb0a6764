/* SPDX-License-Identifier: BSD-2-Clause
 *
 * max_pool and average_pool against their double build and against windows that are walked.
 */
#include "twin.h"

/* B, H, W, C, side, stride, pixels before and after */
struct size {
    int64_t b, h, w, c, side, stride, before, after;
};

static const struct size sizes[] = {{1, 1, 1, 1, 1, 1, 0, 0}, {2, 5, 7, 3, 3, 2, 0, 0}, {1, 4, 4, 17, 3, 1, 1, 1},
                                    {3, 6, 5, 8, 2, 2, 0, 1}, {2, 8, 8, 5, 8, 1, 0, 0}, {1, 9, 3, 4, 3, 3, 2, 1},
                                    {1, 3, 3, 2, 3, 1, 2, 2}, {2, 7, 6, 33, 3, 2, 1, 1}};

static struct problem pool(const struct size *s, int largest)
{
    struct problem p = {.op = largest ? MDM_OP_MAX_POOL : MDM_OP_AVERAGE_POOL,
                        .ins = 1,
                        .outs = 1,
                        .attr = {s->stride, s->before, s->after, s->side}};

    p.in[0] = mdm_shape4(s->b, s->h, s->w, s->c);
    p.out[0] = mdm_shape4(s->b, (s->h + s->before + s->after - s->side) / s->stride + 1,
                          (s->w + s->before + s->after - s->side) / s->stride + 1, s->c);
    return p;
}

START_TEST(all_shapes)
{
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
        struct problem p = pool(&sizes[k], _i);

        check_both_ways(&p);
    }
}
END_TEST

static double walk(const struct size *s, const double *x, int64_t b, int64_t i, int64_t j, int64_t c, int largest)
{
    double most = -INFINITY, sum = 0;
    int64_t count = 0;

    for (int64_t y = i * s->stride - s->before, k = 0; k < s->side; k++, y++)
        for (int64_t z = j * s->stride - s->before, l = 0; l < s->side; l++, z++)
            if (y >= 0 && y < s->h && z >= 0 && z < s->w) {
                const double value = x[((b * s->h + y) * s->w + z) * s->c + c];

                most = value > most ? value : most;
                sum += value;
                count++;
            }
    return largest ? most : sum / (double)count;
}

START_TEST(windows_are_walked)
{
    struct table t[MOST_TABLES];
    const int tables = list_tables(t);

    for (size_t k = 0; k < MDM_LENGTH(sizes); k++)
        for (int i = 0; i < tables; i++) {
            const struct size *s = &sizes[k];
            struct problem p = pool(s, _i);
            struct start from;
            struct results r;
            int64_t at = 0;

            p.forward_only = 1;
            from = draw_start(&p);
            r = run_once(&p, &from, &t[i].rows, MDM_F32, 1);
            for (int64_t b = 0; b < s->b; b++)
                for (int64_t y = 0; y < p.out[0].d[1]; y++)
                    for (int64_t x = 0; x < p.out[0].d[2]; x++)
                        for (int64_t c = 0; c < s->c; c++, at++)
                            ck_assert_double_eq_tol(r.value[0][at], walk(s, from.in[0], b, y, x, c, _i), 1e-6);
            drop_results(&r);
            drop_start(&from);
        }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_loop_test(c, all_shapes, 0, 2);
    tcase_add_loop_test(c, windows_are_walked, 0, 2);
}

int main(void)
{
    return run_suite("pooling", add_tests);
}
