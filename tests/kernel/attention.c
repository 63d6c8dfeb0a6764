/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Attention's kernels against a plain double implementation that holds the N x N weights, and their promises:
 * nothing depends on threads or on the batch, outputs and scratch may hold anything before, gradients add on
 * demand, lse may be absent.
 */
#include "quiet.h"
#include "sets.h"

#include "backend/cpu/attention.h"
#include "base/error.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 16 };

struct problem {
    int64_t batch, n, heads, width;
    int add;
    double amplitude; /* of q and k */
    double *qkv, *dy, *start, *y, *lse, *dqkv;
};

/* One kernel, its element type, and the relative error allowed: rounding of the type times a margin for sums. */
struct kernel {
    const char *name;
    const struct mdm_kernel *k;
    const struct mdm_cpu_table *table; /* whose it is; NULL: the double one's */
    enum mdm_dtype dtype;
    double bound;
};

static struct table tables[MOST_TABLES];
static struct kernel kernels[1 + MOST_TABLES];
static int kernel_count;

/* The double one, and that of each float table. */
static void list_kernels(void)
{
    const int n = fill_tables(tables);

    kernels[0] = (struct kernel){"portable f64", &mdm_cpu_attention_f64, NULL, MDM_F64, 1e-13};
    for (int i = 0; i < n; i++)
        kernels[1 + i] = (struct kernel){tables[i].name, &tables[i].rows.kernel[MDM_OP_ATTENTION], &tables[i].rows,
                                         MDM_F32, 4e-6};
    kernel_count = 1 + n;
}

static struct mdm_cpu make_cpu(const struct kernel *k, int threads)
{
    struct mdm_cpu cpu = {.workers = threads};

    if (k->table)
        cpu.f32 = *k->table;
    return cpu;
}

static uint64_t state = 1;

static double draw(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(float)((double)(state >> 40) / (1 << 23) - 1);
}

static double *need(int64_t n)
{
    double *p = calloc((size_t)n, sizeof *p);

    ck_assert_ptr_nonnull(p);
    return p;
}

static double dot(const double *a, const double *b, int64_t n)
{
    double s = 0;

    for (int64_t i = 0; i < n; i++)
        s += a[i] * b[i];
    return s;
}

static void solve_row(struct problem *p, int64_t b, int64_t h, int64_t i, double *w)
{
    const int64_t dim = p->heads * p->width, step = 3 * dim, at = b * p->n * step + h * p->width;
    const double *q = p->qkv + at + i * step, *k = p->qkv + at + dim, *v = k + dim;
    const double scale = 1 / sqrt((double)p->width);
    const double *dy = p->dy + (b * p->n + i) * dim + h * p->width;
    double *y = p->y + (b * p->n + i) * dim + h * p->width, top = -INFINITY, total = 0, delta;
    double *dq = p->dqkv + at + i * step, *dk = p->dqkv + at + dim, *dv = dk + dim;

    for (int64_t j = 0; j < p->n; j++) {
        w[j] = scale * dot(q, k + j * step, p->width);
        top = fmax(top, w[j]);
    }
    for (int64_t j = 0; j < p->n; j++)
        total += w[j] = exp(w[j] - top);
    p->lse[(b * p->heads + h) * p->n + i] = top + log(total);
    for (int64_t j = 0; j < p->n; j++)
        for (int64_t c = 0; c < p->width; c++)
            y[c] += (w[j] /= c ? 1 : total) * v[j * step + c];
    delta = dot(dy, y, p->width);
    for (int64_t j = 0; j < p->n; j++) {
        double ds = w[j] * (dot(dy, v + j * step, p->width) - delta) * scale;
        for (int64_t c = 0; c < p->width; c++) {
            dv[j * step + c] += w[j] * dy[c];
            dq[c] += ds * k[j * step + c];
            dk[j * step + c] += ds * q[c];
        }
    }
}

static struct problem make(int64_t batch, int64_t n, int64_t heads, int64_t width, int add, double amplitude)
{
    const int64_t dim = heads * width;
    struct problem p = {batch, n, heads, width, add, amplitude, NULL, NULL, NULL, NULL, NULL, NULL};
    double *w = need(n);

    p.qkv = need(batch * n * dim * 3);
    p.start = need(batch * n * dim * 3);
    p.dqkv = need(batch * n * dim * 3);
    p.dy = need(batch * n * dim);
    p.y = need(batch * n * dim);
    p.lse = need(batch * n * heads);
    for (int64_t i = 0; i < batch * n * dim * 3; i++) {
        p.qkv[i] = (double)(float)(draw() * (i % (3 * dim) < 2 * dim ? amplitude : 1));
        p.start[i] = draw();
        p.dqkv[i] = add ? p.start[i] : 0;
    }
    for (int64_t i = 0; i < batch * n * dim; i++)
        p.dy[i] = draw();
    for (int64_t b = 0; b < batch; b++)
        for (int64_t h = 0; h < heads; h++)
            for (int64_t i = 0; i < n; i++)
                solve_row(&p, b, h, i, w);
    free(w);
    return p;
}

static void drop(struct problem *p)
{
    double *all[] = {p->qkv, p->start, p->dqkv, p->dy, p->y, p->lse};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

/* Bytes of the elements in the kernel's type with guards behind them. */
struct buffer {
    void *at;
    int64_t n;
    size_t size;
};

static struct buffer fill(enum mdm_dtype t, const double *from, int64_t n)
{
    struct buffer b = {NULL, n, t == MDM_F64 ? sizeof(double) : sizeof(float)};
    size_t bytes = (((size_t)n + GUARD) * b.size + 63) / 64 * 64;

    b.at = aligned_alloc(64, bytes);
    ck_assert_ptr_nonnull(b.at);
    memset(b.at, 0xff, bytes); /* NaN in both types */
    for (int64_t i = 0; from && i < n; i++)
        if (t == MDM_F64)
            ((double *)b.at)[i] = from[i];
        else
            ((float *)b.at)[i] = (float)from[i];
    return b;
}

static double get(const struct buffer *b, int64_t i)
{
    return b->size == sizeof(double) ? ((double *)b->at)[i] : (double)((float *)b->at)[i];
}

static void expect_guard(const struct buffer *b)
{
    const unsigned char *p = (const unsigned char *)b->at + (size_t)b->n * b->size;

    for (size_t i = 0; i < GUARD * b->size; i++)
        ck_assert_int_eq(p[i], 0xff);
}

struct result {
    struct buffer y, lse, dqkv;
};

static void drop_result(struct result *r)
{
    free(r->y.at);
    free(r->lse.at);
    free(r->dqkv.at);
}

static struct result run(const struct kernel *k, const struct problem *p, int threads, int without_lse)
{
    const int64_t dim = p->heads * p->width, rows = p->batch * p->n;
    struct mdm_shape in = {3, {p->batch, p->n, 3 * dim}}, out = {3, {p->batch, p->n, dim}};
    struct mdm_shape stat = {3, {p->batch, p->heads, p->n}};
    struct result r = {fill(k->dtype, NULL, rows * dim), fill(k->dtype, NULL, rows * p->heads),
                       fill(k->dtype, p->add ? p->start : NULL, rows * dim * 3)};
    struct buffer qkv = fill(k->dtype, p->qkv, rows * dim * 3), dy = fill(k->dtype, p->dy, rows * dim), scratch;
    struct mdm_cpu cpu = make_cpu(k, threads);
    struct mdm_call c = {.op = MDM_OP_ATTENTION, .dtype = k->dtype, .attr = {p->heads}, .add = {p->add != 0}};

    c.in_shape[0] = &in;
    c.out_shape[0] = &out;
    c.out_shape[1] = without_lse ? NULL : &stat;
    ck_assert_int_eq(mdm_pool_create(&cpu.pool, threads, NULL, NULL), MASKDM_OK);
    scratch = fill(MDM_F32, NULL, k->k->scratch ? (int64_t)(k->k->scratch(&cpu.base, &c, !without_lse) / 4) : 0);
    c.in[0] = qkv.at;
    c.out[0] = r.y.at;
    c.out[1] = without_lse ? NULL : r.lse.at;
    c.scratch = scratch.at;
    begin_quiet();
    ck_assert_int_eq(k->k->forward(&cpu.base, &c), MASKDM_OK);
    c.dout[0] = dy.at;
    c.din[0] = r.dqkv.at;
    if (!without_lse)
        ck_assert_int_eq(k->k->backward(&cpu.base, &c), MASKDM_OK);
    expect_quiet(k->name);
    expect_guard(&r.y);
    expect_guard(&r.lse);
    expect_guard(&r.dqkv);
    expect_guard(&scratch);
    mdm_pool_release(&cpu.pool);
    free(qkv.at);
    free(dy.at);
    free(scratch.at);
    return r;
}

static void expect_near(const char *what, const struct kernel *k, const struct problem *p, const struct buffer *a,
                        const double *b)
{
    double error = 0, norm = 0;

    for (int64_t i = 0; i < a->n; i++) {
        error += (get(a, i) - b[i]) * (get(a, i) - b[i]);
        norm += b[i] * b[i];
    }
    /* one key makes all gradients of scores zero, hence the floor */
    ck_assert_msg(sqrt(error) <= k->bound * (sqrt(norm) + 1e-3 * sqrt((double)a->n)),
                  "%s %s: N %d, heads %d, width %d: error %g of %g", k->name, what, (int)p->n, (int)p->heads,
                  (int)p->width, sqrt(error), sqrt(norm));
}

static void check_problem(struct problem p)
{
    for (int i = 0; i < kernel_count; i++) {
        struct result r;

        r = run(&kernels[i], &p, 1, 0);
        expect_near("y", &kernels[i], &p, &r.y, p.y);
        expect_near("lse", &kernels[i], &p, &r.lse, p.lse);
        expect_near("dqkv", &kernels[i], &p, &r.dqkv, p.dqkv);
        drop_result(&r);
    }
    drop(&p);
}

START_TEST(values_and_gradients_match)
{
    static const int64_t tokens[] = {1, 2, 7, 26, 27, 65, 257, 300}, widths[] = {1, 3, 8, 16, 24, 32, 64, 96};
    const int64_t n = tokens[_i / 8], width = widths[_i % 8];
    const int small = n < 257;

    check_problem(make(small ? 1 + _i % 2 : 1, n, 1 + _i % (small ? 3 : 2), width, _i % 3 == 0, 2));
}
END_TEST

START_TEST(many_tokens_share_a_head_among_units)
{
    check_problem(make(1, 1100, 1, 16, 0, 2));
    check_problem(make(2, 700, 1, 8, 1, 2));
}
END_TEST

START_TEST(large_scores_stay_finite)
{
    struct problem p = make(1, 70, 1, 32, 0, 10);

    for (int i = 0; i < kernel_count; i++) {
        struct result r;
        double most = 0;

        r = run(&kernels[i], &p, 1, 0);
        for (int64_t n = 0; n < r.dqkv.n; n++)
            ck_assert(isfinite(get(&r.dqkv, n)));
        for (int64_t n = 0; n < r.y.n; n++)
            ck_assert(fabs(get(&r.y, n) - p.y[n]) < 1e-4);
        for (int64_t n = 0; n < r.lse.n; n++)
            most = fmax(most, get(&r.lse, n));
        ck_assert(most > 80);
        drop_result(&r);
    }
    drop(&p);
}
END_TEST

static void expect_equal(const struct buffer *a, const struct buffer *b, int64_t n)
{
    ck_assert_int_eq(memcmp(a->at, b->at, (size_t)n * a->size), 0);
}

/* A row's lse far below 0, next to lanes that no key fills, whose score is 0: run() sees that none of it shows. Half
 * the sizes make such a lane's weight, were it one, 2^128 and a little. */
START_TEST(small_scores_raise_nothing)
{
    static const int64_t tokens[] = {1, 13, 70, 300};
    struct problem p = make(1, tokens[_i / 2], 1, 32, 0, 10);
    const double size = _i % 2 ? 10 : sqrt((128.2 + log2((double)p.n)) / (sqrt(32) * 1.4426950408889634));

    for (int64_t i = 0; i < p.n * 96; i++)
        if (i % 96 < 64)
            p.qkv[i] = (double)(float)((i % 96 < 32 ? 1 : -1) * size * (1 + 0.001 * draw()));
    for (int i = 0; i < kernel_count; i++) {
        struct result r;

        r = run(&kernels[i], &p, 1, 0);
        for (int64_t n = 0; n < r.dqkv.n; n++)
            ck_assert(isfinite(get(&r.dqkv, n)));
        drop_result(&r);
    }
    drop(&p);
}
END_TEST

START_TEST(threads_change_no_bit)
{
    static const int64_t tokens[] = {27, 300, 700};
    struct problem p = make(2, tokens[_i], 2, 16, 0, 2);

    for (int i = 0; i < kernel_count; i++) {
        struct result one, more;

        one = run(&kernels[i], &p, 1, 0);
        for (int threads = 2; threads <= 3; threads++) {
            more = run(&kernels[i], &p, threads, 0);
            expect_equal(&one.y, &more.y, one.y.n);
            expect_equal(&one.lse, &more.lse, one.lse.n);
            expect_equal(&one.dqkv, &more.dqkv, one.dqkv.n);
            drop_result(&more);
        }
        drop_result(&one);
    }
    drop(&p);
}
END_TEST

START_TEST(the_batch_changes_no_bit)
{
    static const int64_t tokens[] = {27, 300, 700};
    struct problem p = make(3, tokens[_i], 2, 16, 0, 2), first = p;

    first.batch = 1;
    for (int i = 0; i < kernel_count; i++) {
        struct result all, alone, plain;

        all = run(&kernels[i], &p, 2, 0);
        alone = run(&kernels[i], &first, 2, 0);
        plain = run(&kernels[i], &first, 2, 1);
        expect_equal(&all.y, &alone.y, alone.y.n);
        expect_equal(&all.dqkv, &alone.dqkv, alone.dqkv.n);
        expect_equal(&alone.y, &plain.y, plain.y.n); /* without lse */
        drop_result(&all);
        drop_result(&alone);
        drop_result(&plain);
    }
    drop(&p);
}
END_TEST

START_TEST(no_gradient_from_above_is_zero)
{
    for (int i = 0; i < kernel_count; i++) {
        double start[2 * 48];
        struct mdm_shape in = {3, {1, 2, 48}};
        struct buffer din;
        struct mdm_cpu cpu = make_cpu(&kernels[i], 1);
        struct mdm_call c = {.dtype = kernels[i].dtype, .attr = {2}, .in_shape = {&in}};

        for (int64_t n = 0; n < 96; n++)
            start[n] = draw();
        for (int add = 0; add < 2; add++) {
            din = fill(kernels[i].dtype, start, 96);
            c.din[0] = din.at;
            c.add[0] = add != 0;
            ck_assert_int_eq(kernels[i].k->backward(&cpu.base, &c), MASKDM_OK);
            for (int64_t n = 0; n < 96; n++)
                ck_assert(get(&din, n) == (add ? start[n] : 0));
            free(din.at);
        }
    }
}
END_TEST

START_TEST(a_wish_to_stop_is_a_status)
{
    for (int i = 0; i < kernel_count; i++) {
        atomic_int stop = 1;
        struct mdm_shape in = {3, {1, 2, 48}};
        struct buffer x = fill(kernels[i].dtype, NULL, 96), y = fill(kernels[i].dtype, NULL, 96), scratch;
        struct mdm_cpu cpu = make_cpu(&kernels[i], 1);
        struct mdm_call c = {.dtype = kernels[i].dtype, .attr = {2}, .in_shape = {&in}, .cancel = &stop};

        scratch = fill(MDM_F32, NULL,
                       kernels[i].k->scratch ? (int64_t)(kernels[i].k->scratch(&cpu.base, &c, 1) / 4) : 0);
        c.scratch = scratch.at;
        c.in[0] = x.at;
        c.out[0] = y.at;
        ck_assert_int_eq(kernels[i].k->forward(&cpu.base, &c), MASKDM_ECANCELED);
        free(scratch.at);
        free(x.at);
        free(y.at);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("attention");
    TCase *t = tcase_create("kernels");
    SRunner *r = srunner_create(s);
    int failed;

    list_kernels();
    tell_tables();
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, values_and_gradients_match, 0, 64);
    tcase_add_test(t, many_tokens_share_a_head_among_units);
    tcase_add_test(t, large_scores_stay_finite);
    tcase_add_loop_test(t, small_scores_raise_nothing, 0, 8);
    tcase_add_loop_test(t, threads_change_no_bit, 0, 3);
    tcase_add_loop_test(t, the_batch_changes_no_bit, 0, 3);
    tcase_add_test(t, no_gradient_from_above_is_zero);
    tcase_add_test(t, a_wish_to_stop_is_a_status);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
