/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A list of distinct products with how often each occurs; each is timed by OpenBLAS with its own threads and by
 * OpenBLAS on row shares side by side, and the faster counts.
 */
#include "floor.h"

#include <cblas.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

extern void openblas_set_num_threads(int n);

enum { MAX_PRODUCTS = 40, MAX_THREADS = 64 };

/* c[m,n] = op(a) op(b); ta: a is stored [k,m]; tb: b is stored [n,k] */
struct product {
    int ta, tb;
    int64_t m, n, k, times;
    int per_head; /* independent small products, one a head and image */
};

struct list {
    struct product p[MAX_PRODUCTS];
    int count;
};

double clock_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void add(struct list *l, int ta, int tb, int64_t m, int64_t n, int64_t k, int64_t times, int per_head)
{
    struct product p = {ta, tb, m, n, k, times, per_head};
    if (l->count < MAX_PRODUCTS)
        l->p[l->count++] = p;
}

/* y[rows,out] = x[rows,in] w'; dx = dy w; dw = dy' x */
static void add_linear(struct list *l, int64_t rows, int64_t out, int64_t in, int64_t times, int train, int dx)
{
    add(l, 0, 1, rows, out, in, times, 0);
    if (train && dx)
        add(l, 0, 0, rows, in, out, times, 0);
    if (train)
        add(l, 1, 0, out, in, rows, times, 0);
}

static void list_products(struct list *l, const struct network *n, int train)
{
    int64_t rows = n->batch * n->tokens, d = n->dim, hd = d / n->heads, units = n->batch * n->heads * n->blocks;

    l->count = 0;
    add_linear(l, n->batch * n->visible, d, n->patch_values, 1, train, 0);
    add_linear(l, rows, 3 * d, d, n->blocks, train, 1);
    add_linear(l, rows, d, d, n->blocks, train, 1);
    add_linear(l, rows, 4 * d, d, n->blocks, train, 1);
    add_linear(l, rows, d, 4 * d, n->blocks, train, 1);
    add_linear(l, rows, d, 2 * d, n->skips, train, 1);
    add_linear(l, n->batch * n->visible, n->patch_values, d, 1, train, 1);
    add(l, 0, 1, n->tokens, n->tokens, hd, units * (train ? 2 : 1), 1); /* scores; dP */
    add(l, 0, 0, n->tokens, hd, n->tokens, units * (train ? 2 : 1), 1); /* P v; dQ */
    if (train)
        add(l, 1, 0, n->tokens, hd, n->tokens, units * 2, 1); /* dV, dK */
}

static void multiply(const struct product *p, const float *a, const float *b, float *c, int64_t from, int64_t to)
{
    int64_t lda = p->ta ? p->m : p->k;

    cblas_sgemm(CblasRowMajor, p->ta ? CblasTrans : CblasNoTrans, p->tb ? CblasTrans : CblasNoTrans, (int)(to - from),
                (int)p->n, (int)p->k, 1.0f, a + (p->ta ? from : from * lda), (int)lda, b, (int)(p->tb ? p->k : p->n),
                0.0f, c + from * p->n, (int)p->n);
}

struct share {
    const struct product *p;
    const float *a, *b;
    float *c;
    int64_t from, to, repeat;
};

static void *run_share(void *arg)
{
    struct share *s = arg;
    for (int64_t i = 0; i < s->repeat; i++)
        multiply(s->p, s->a, s->b, s->c, s->from, s->to);
    return NULL;
}

/* Row shares on `threads` threads, or, per head, independent products on each. */
static double time_shares(const struct product *p, const float *a, const float *b, float *c, int threads,
                          int64_t repeat)
{
    pthread_t thread[MAX_THREADS];
    struct share share[MAX_THREADS];
    double start;

    openblas_set_num_threads(1);
    start = clock_seconds();
    for (int t = 0; t < threads; t++) {
        share[t] = (struct share){
            p, a, b, c + (p->per_head ? t * p->m * p->n : 0), p->m * t / threads, p->m * (t + 1) / threads, repeat};
        if (p->per_head)
            share[t].from = 0, share[t].to = p->m;
        if (t + 1 == threads || pthread_create(&thread[t], NULL, run_share, &share[t]) != 0) {
            run_share(&share[t]);
            thread[t] = pthread_self();
        }
    }
    for (int t = 0; t + 1 < threads; t++)
        if (!pthread_equal(thread[t], pthread_self()))
            pthread_join(thread[t], NULL);
    return (clock_seconds() - start) / (double)repeat / (p->per_head ? threads : 1);
}

static double time_whole(const struct product *p, const float *a, const float *b, float *c, int threads,
                         int64_t repeat)
{
    double start;

    openblas_set_num_threads(threads);
    start = clock_seconds();
    for (int64_t i = 0; i < repeat; i++)
        multiply(p, a, b, c, 0, p->m);
    return (clock_seconds() - start) / (double)repeat;
}

static double time_product(const struct product *p, int threads)
{
    size_t na = (size_t)(p->m * p->k), nb = (size_t)(p->k * p->n),
           nc = (size_t)(p->m * p->n * (p->per_head ? threads : 1));
    float *a = malloc(na * sizeof *a), *b = malloc(nb * sizeof *b), *c = malloc(nc * sizeof *c);
    double best = -1, flops = 2.0 * (double)p->m * (double)p->n * (double)p->k;
    int64_t repeat = 1 + (int64_t)(1e9 / flops);

    for (size_t i = 0; a && i < na; i++)
        a[i] = (float)(i % 7) - 3.0f;
    for (size_t i = 0; b && i < nb; i++)
        b[i] = (float)(i % 5) - 2.0f;
    if (a && b && c) {
        memset(c, 0, nc * sizeof *c);
        time_shares(p, a, b, c, threads, 1);
        for (int round = 0; round < 2; round++) {
            double s = time_shares(p, a, b, c, threads, repeat), w = time_whole(p, a, b, c, threads, repeat);
            double t = s < w ? s : w;
            best = best < 0 || t < best ? t : best;
        }
    }
    free(a), free(b), free(c);
    return best;
}

double floor_seconds(const struct network *n, int train, int threads, double *flops)
{
    struct list l;
    double sum = 0;

    list_products(&l, n, train);
    if (flops)
        *flops = 0;
    for (int i = 0; i < l.count; i++) {
        const struct product *p = &l.p[i];
        double t = time_product(p, threads);
        if (t < 0)
            return -1;
        sum += t * (double)p->times;
        if (flops)
            *flops += 2.0 * (double)p->m * (double)p->n * (double)p->k * (double)p->times;
    }
    return sum;
}
