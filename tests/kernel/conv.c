/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conv against its double build and against sums written out; per-image cuts.
 */
#include "twin.h"

#include "backend/cpu/window.h"

/* B, H, W, I, O, rows and columns of w, stride, zeros before and after, and how many more beside */
struct size {
    int64_t b, h, w, in, out, tall, wide, stride, before, after, beside;
};

static const struct size sizes[] = {
    {1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0},   {1, 1, 1, 2, 3, 3, 3, 1, 1, 1, 0},      {2, 4, 5, 3, 16, 3, 3, 1, 1, 1, 0},
    {3, 5, 4, 8, 7, 3, 3, 1, 0, 0, 0},   {2, 8, 8, 17, 40, 3, 3, 1, 1, 1, 0},    {1, 19, 23, 5, 9, 3, 3, 1, 1, 1, 0},
    {2, 8, 6, 12, 20, 3, 3, 2, 1, 1, 0}, {2, 8, 6, 12, 20, 3, 3, 2, 0, 1, 0},    {1, 9, 7, 6, 10, 3, 3, 2, 1, 1, 0},
    {2, 7, 9, 30, 8, 1, 1, 1, 0, 0, 0},  {2, 7, 9, 4, 6, 1, 1, 2, 0, 0, 0},      {1, 10, 9, 3, 5, 5, 5, 3, 2, 1, 0},
    {1, 6, 8, 4, 5, 2, 4, 1, 1, 2, 0},   {1, 11, 6, 2, 4, 2, 3, 4, 3, 0, 0},     {1, 5, 5, 120, 24, 3, 3, 1, 1, 1, 0},
    {2, 3, 3, 5, 4, 7, 7, 1, 3, 3, 0},   {1, 12, 12, 40, 136, 3, 3, 1, 1, 1, 0},
    {2, 6, 7, 5, 9, 1, 7, 1, 0, 0, 3}, {2, 7, 6, 5, 9, 7, 1, 1, 3, 3, -3}, {1, 9, 8, 4, 6, 2, 3, 2, 1, 0, 1},
};

static struct problem conv(const struct size *s, int bias, int row)
{
    struct problem p = {.op = MDM_OP_CONV, .ins = 4, .outs = 1, .attr = {s->stride, s->before, s->after, s->beside}};

    p.in[0] = mdm_shape4(s->b, s->h, s->w, s->in);
    p.in[1] = mdm_shape4(s->out, s->in, s->tall, s->wide);
    if (bias)
        p.in[2] = mdm_shape1(s->out);
    if (row)
        p.in[3] = mdm_shape2(s->b, s->out);
    p.out[0] = mdm_shape4(s->b, (s->h + s->before + s->after - s->tall) / s->stride + 1,
                          (s->w + s->before + s->after + 2 * s->beside - s->wide) / s->stride + 1, s->out);
    p.bound = 4e-6;
    return p;
}

START_TEST(all_shapes)
{
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
        struct problem p = conv(&sizes[k], k % 2 == 0, k % 3 == 0);

        check_both_ways(&p);
    }
}
END_TEST

/* One element of y by its formula. */
static double sum_window(const struct size *s, const struct start *from, int64_t b, int64_t i, int64_t j, int64_t o)
{
    double sum = from->in[2][o] + from->in[3][b * s->out + o];

    for (int64_t k = 0; k < s->tall; k++)
        for (int64_t l = 0; l < s->wide; l++) {
            int64_t y = i * s->stride - s->before + k, x = j * s->stride - s->before - s->beside + l;
            for (int64_t c = 0; c < s->in && y >= 0 && y < s->h && x >= 0 && x < s->w; c++)
                sum += from->in[0][((b * s->h + y) * s->w + x) * s->in + c] *
                       from->in[1][((o * s->in + c) * s->tall + k) * s->wide + l];
        }
    return sum;
}

START_TEST(sums_are_those_of_the_formula)
{
    struct mdm_cpu_table exact = {0};

    mdm_cpu_table_c_f64(&exact);
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
        struct problem p = conv(&sizes[k], 1, 1);
        const struct mdm_shape *y = &p.out[0];
        struct start s = draw_start(&p);
        struct results r;

        p.forward_only = 1;
        r = run_once(&p, &s, &exact, MDM_F64, 2);
        for (int64_t n = 0; n < mdm_shape_numel(y); n++) {
            int64_t o = n % y->d[3], j = n / y->d[3] % y->d[2], i = n / y->d[3] / y->d[2] % y->d[1];
            double want = sum_window(&sizes[k], &s, n / y->d[3] / y->d[2] / y->d[1], i, j, o);

            ck_assert_double_eq_tol(r.value[0][n], want, 1e-12);
        }
        drop_results(&r);
        drop_start(&s);
    }
}
END_TEST

/* Image i of eight has the bits that it has alone. */
START_TEST(an_image_does_not_see_its_batch)
{
    static const struct size many[] = {{8, 3, 3, 4, 5, 3, 3, 1, 1, 1, 0},
                                       {8, 16, 15, 20, 30, 3, 3, 1, 1, 1, 0},
                                       {8, 16, 16, 9, 70, 3, 3, 2, 0, 1, 0},
                                       {8, 20, 16, 40, 24, 1, 1, 1, 0, 0, 0}};
    struct table t[MOST_TABLES];
    const int tables = list_tables(t);

    for (size_t k = 0; k < MDM_LENGTH(many); k++)
        for (int table = 1; table < tables; table++) {
            struct size single = many[k];
            struct problem all = conv(&many[k], 1, 1), one;
            struct start s = draw_start(&all), alone = s;
            struct results whole, r;
            int64_t x, y;

            single.b = 1;
            one = conv(&single, 1, 1);
            x = mdm_shape_numel(&one.in[0]), y = mdm_shape_numel(&one.out[0]);
            all.forward_only = one.forward_only = 1;
            all.row_group = one.row_group = mdm_shape_rows(&one.out[0]);
            whole = run_once(&all, &s, &t[table].rows, MDM_F32, 2);
            for (int64_t i = 0; i < many[k].b; i++) {
                alone.in[0] = s.in[0] + i * x;
                alone.in[3] = s.in[3] + i * single.out;
                r = run_once(&one, &alone, &t[table].rows, MDM_F32, 1);
                ck_assert_mem_eq(r.value[0], whole.value[0] + i * y, (size_t)y * sizeof(double));
                drop_results(&r);
            }
            drop_results(&whole);
            drop_start(&s);
        }
}
END_TEST

/* Every part of every window, against the element that it stands for. */
START_TEST(windows)
{
    enum { B = 2, H = 3, WIDTH = 4, C = 2, TALL = 3, WIDE = 2, DOWN = 3, ACROSS = 2, ROW = TALL * WIDE * C };
    float x[B * H * WIDTH * C], got[ROW + 1], again[ROW];
    const struct mdm_window w = {x, H, WIDTH, C, DOWN, ACROSS, 2, 1, 1, TALL, WIDE};
    struct mdm_window_row at;

    for (int i = 0; i < B * H * WIDTH * C; i++)
        x[i] = (float)(i + 1);
    for (int row = 0; row < B * DOWN * ACROSS; row++)
        for (int from = 0; from < ROW; from++)
            for (int n = 0; n <= ROW - from; n++) {
                const int b = row / (DOWN * ACROSS), i = row / ACROSS % DOWN, j = row % ACROSS;

                got[n] = 77;
                at = mdm_window_row(&w, row, from);
                mdm_window_copy_f32(got, &at, n);
                /* The same by way of the row before. */
                if (row) {
                    at = mdm_window_row(&w, row - 1, from);
                    mdm_window_next(&at);
                    mdm_window_copy_f32(again, &at, n);
                    ck_assert_mem_eq(again, got, (size_t)n * sizeof *got);
                }
                for (int k = 0; k < n; k++) {
                    const int tap = (from + k) / C, r = 2 * i - 1 + tap / WIDE, c = 2 * j - 1 + tap % WIDE;
                    const int inside = r >= 0 && r < H && c >= 0 && c < WIDTH;
                    const float want = inside ? x[((b * H + r) * WIDTH + c) * C + (from + k) % C] : 0;

                    ck_assert_float_eq(got[k], want);
                }
                ck_assert_float_eq(got[n], 77);
            }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, windows);
    tcase_add_test(c, sums_are_those_of_the_formula);
    tcase_add_test(c, all_shapes);
    tcase_add_test(c, an_image_does_not_see_its_batch);
}

int main(void)
{
    return run_suite("conv", add_tests);
}
