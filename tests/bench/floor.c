/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The time of one product by the fastest of three ways: OpenBLAS with its own threads, OpenBLAS on row shares side by
 * side, and the library's own kernel. Products per head run one beside the other, a thread each.
 */
#include "floor.h"

#include "backend/cpu/cpu.h"
#include "base/alloc.h"

#include <cblas.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

extern void openblas_set_num_threads(int n);

static const double SAMPLE = 1e9; /* FLOP that one timing takes at least */

struct floor {
    int threads;
    struct mdm_backend *wide, *one[MAX_THREADS]; /* on all threads; on one thread each */
};

void floor_close(struct floor **floor)
{
    struct floor *f = *floor;

    *floor = NULL;
    if (!f)
        return;
    if (f->wide)
        f->wide->v->close(f->wide);
    for (int t = 0; t < f->threads; t++)
        if (f->one[t])
            f->one[t]->v->close(f->one[t]);
    free(f);
}

int floor_open(struct floor **out, const struct settings *wanted)
{
    const int threads = wanted->threads;
    struct mdm_device_settings s = {.workers = threads, .guard = 1, .instruction_set = wanted->instruction_set};
    struct floor *f = calloc(1, sizeof *f);
    int rc;

    *out = NULL;
    if (!f)
        return MASKDM_ENOMEM;
    f->threads = threads;
    rc = mdm_cpu_open(&f->wide, &s);
    s.workers = 1;
    for (int t = 0; t < threads && rc == 0; t++)
        rc = mdm_cpu_open(&f->one[t], &s);
    if (rc < 0)
        floor_close(&f);
    *out = f;
    return rc;
}

struct share {
    const struct product *p;
    struct mdm_cpu *cpu; /* NULL: OpenBLAS */
    const float *a, *b;
    float *c;
    int64_t from, to, repeat; /* rows */
};

static void multiply(const struct share *s)
{
    const struct product *p = s->p;
    const int64_t lda = p->ta ? p->m : p->k, ldb = p->tb ? p->k : p->n, rows = s->to - s->from;
    const float *a = s->a + (p->ta ? s->from : s->from * lda);
    float *c = s->c + s->from * p->n;
    struct mdm_gemm g = {.ta = p->ta, .tb = p->tb, .m = rows, .n = p->n, .k = p->k, .a = a, .lda = lda};

    if (s->cpu) {
        g.b = s->b, g.ldb = ldb, g.c = c, g.ldc = p->n;
        if (s->cpu->f32.gemm(s->cpu, &g) < 0)
            memset(c, 0, sizeof *c);
        return;
    }
    cblas_sgemm(CblasRowMajor, p->ta ? CblasTrans : CblasNoTrans, p->tb ? CblasTrans : CblasNoTrans, (int)rows,
                (int)p->n, (int)p->k, 1.0f, a, (int)lda, s->b, (int)ldb, 0.0f, c, (int)p->n);
}

static void *run_share(void *arg)
{
    const struct share *s = arg;

    for (int64_t i = 0; i < s->repeat; i++)
        multiply(s);
    return NULL;
}

/* Seconds of a product when `threads` shares run side by side. */
static double time_shares(struct share *share, int threads)
{
    const struct product *p = share->p;
    pthread_t thread[MAX_THREADS];
    int started[MAX_THREADS] = {0};
    double start = clock_seconds();

    for (int t = 1; t < threads; t++)
        started[t] = pthread_create(&thread[t], NULL, run_share, &share[t]) == 0;
    run_share(&share[0]);
    for (int t = 1; t < threads; t++)
        if (started[t])
            pthread_join(thread[t], NULL);
        else
            run_share(&share[t]);
    return (clock_seconds() - start) / (double)share->repeat / (p->per_head ? threads : 1);
}

enum way { BLAS_THREADS, BLAS_SHARES, OWN, WAYS };

static double time_way(struct floor *f, enum way way, const struct share *whole)
{
    const struct product *p = whole->p;
    struct share share[MAX_THREADS];
    int threads = way == BLAS_SHARES || p->per_head ? f->threads : 1;

    openblas_set_num_threads(threads == 1 && way == BLAS_THREADS ? f->threads : 1);
    for (int t = 0; t < threads; t++) {
        share[t] = *whole;
        if (p->per_head)
            share[t].c += t * p->m * p->n;
        else
            share[t].from = p->m * t / threads, share[t].to = p->m * (t + 1) / threads;
        if (way == OWN)
            share[t].cpu = mdm_cpu_of(p->per_head ? f->one[t] : f->wide);
    }
    return time_shares(share, threads);
}

static double fastest(struct floor *f, struct share *s, double flops)
{
    double best = -1;

    for (int way = s->p->per_head ? BLAS_SHARES : BLAS_THREADS; way < WAYS; way++) {
        double t;

        s->repeat = 1;
        time_way(f, way, s);
        s->repeat = 1 + (int64_t)(SAMPLE / flops);
        t = time_way(f, way, s);
        best = best < 0 || t < best ? t : best;
    }
    return best;
}

static double time_product(struct floor *f, const struct product *p)
{
    const size_t na = (size_t)(p->m * p->k), nb = (size_t)(p->k * p->n);
    const size_t nc = (size_t)(p->m * p->n * (p->per_head ? f->threads : 1));
    /* on huge pages, as the library's own values are */
    float *a = mdm_malloc_aligned(na * sizeof *a), *b = mdm_malloc_aligned(nb * sizeof *b);
    float *c = mdm_malloc_aligned(nc * sizeof *c);
    struct share s = {.p = p, .a = a, .b = b, .c = c, .to = p->m};
    double best = -1;

    if (a && b && c) {
        for (size_t i = 0; i < na; i++)
            a[i] = (float)(i % 7) - 3.0f;
        for (size_t i = 0; i < nb; i++)
            b[i] = (float)(i % 5) - 2.0f;
        memset(c, 0, nc * sizeof *c);
        best = fastest(f, &s, 2.0 * (double)p->m * (double)p->n * (double)p->k);
    }
    mdm_free(a);
    mdm_free(b);
    mdm_free(c);
    return best;
}

double floor_seconds(struct floor *f, const struct products *l)
{
    double sum = 0;

    for (int i = 0; i < l->count; i++) {
        double t = time_product(f, &l->p[i]);

        if (t < 0)
            return -1;
        sum += t * (double)l->p[i].times;
    }
    return sum;
}
