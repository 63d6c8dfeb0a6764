/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The attention kernel alone, forward and backward, against the rate of a large matrix product. w->side is N here,
 * w->blocks unused. Seven products count, the scores that backward makes anew among them.
 */
#include "floor.h"

#include "backend/device.h"
#include "base/alloc.h"

#include <string.h>

enum { LARGE = 2048 };

struct buffers {
    float *qkv, *y, *lse, *dy, *dqkv;
    void *scratch;
};

static void free_buffers(struct buffers *b)
{
    mdm_free(b->qkv);
    mdm_free(b->y);
    mdm_free(b->lse);
    mdm_free(b->dy);
    mdm_free(b->dqkv);
    mdm_free(b->scratch);
}

static float *take(int64_t n)
{
    float *p = mdm_need_aligned((size_t)n * sizeof *p, "a buffer");

    for (int64_t i = 0; p && i < n; i++)
        p[i] = (float)((uint32_t)i * 2654435761u >> 16) / 32768.0f - 1.0f;
    return p;
}

/* Seconds of one forward and backward, the mean over as many as fill about half a second. */
static double time_kernel(struct mdm_backend *b, const struct mdm_kernel *k, struct mdm_call *c,
                          const struct buffers *m)
{
    double start = clock_seconds(), now;
    int n = 0;

    do {
        c->out[0] = m->y, c->out[1] = m->lse, c->dout[0] = NULL, c->din[0] = NULL;
        if (k->forward(b, c) < 0)
            return -1;
        c->dout[0] = m->dy, c->din[0] = m->dqkv;
        if (k->backward(b, c) < 0)
            return -1;
        n++;
        now = clock_seconds();
    } while (now - start < 0.5);
    return (now - start) / n;
}

static int measure(const struct workload *w, const struct settings *s, maskdm_device *dev, struct floor *f,
                   struct buffers *m)
{
    const int64_t n = w->side, d = w->dim, heads = d / 64;
    const double flops = 7 * 2.0 * (double)(n * n * d * w->batch), large = 2.0 * LARGE * LARGE * LARGE;
    const struct products big = {.p = {{0, 1, LARGE, LARGE, LARGE, 1, 0}}, .count = 1};
    struct mdm_backend *b = mdm_device_backend(dev);
    const struct mdm_kernel *k = b->v->kernel(b, MDM_OP_ATTENTION, MDM_F32);
    const struct mdm_shape in = mdm_shape3(w->batch, n, 3 * d), out = mdm_shape3(w->batch, n, d);
    const struct mdm_shape lse = mdm_shape3(w->batch, heads, n);
    struct mdm_call c = {.op = MDM_OP_ATTENTION, .dtype = MDM_F32, .attr = {heads}};
    struct series rate = {.n = 0}, ratio = {.n = 0};
    struct rates rates = {.fma = {.n = 0}};

    c.in_shape[0] = &in, c.out_shape[0] = &out, c.out_shape[1] = &lse;
    m->scratch = mdm_need_aligned(k->scratch(b, &c, 1), "scratch");
    if (!m->qkv || !m->y || !m->lse || !m->dy || !m->dqkv || !m->scratch)
        return MASKDM_ENOMEM;
    c.in[0] = m->qkv, c.scratch = m->scratch;
    if (time_kernel(b, k, &c, m) < 0)
        return -1;
    for (int r = 0; r < s->rounds; r++) {
        double most, t;

        rates_add(&rates, s);
        most = large / floor_seconds(f, &big);
        t = time_kernel(b, k, &c, m);
        if (t < 0)
            return -1;
        series_add(&rate, flops / t / 1e9);
        series_add(&ratio, flops / t / most);
    }
    print_line(w, s, &ratio, &rates, "attention_gflops=%.1f batch=%ld heads=%ld tokens=%ld", series_median(&rate),
               (long)w->batch, (long)heads, (long)n);
    return 0;
}

int run_attention(const struct workload *w, const struct settings *s)
{
    const int64_t rows = w->batch * w->side, d = w->dim;
    struct buffers m = {.qkv = take(rows * 3 * d), .y = take(rows * d), .dy = take(rows * d)};
    maskdm_device *dev = NULL;
    struct floor *f = NULL;
    int rc;

    m.lse = take(rows * d / 64);
    m.dqkv = take(rows * 3 * d);
    if ((rc = open_device(&dev, s, s->threads)) == 0 && (rc = floor_open(&f, s)) == 0) {
        rc = mdm_device_enter(dev);
        if (rc == 0) {
            rc = measure(w, s, dev, f, &m);
            mdm_device_leave(dev);
        }
    }
    if (rc < 0)
        bench_failed(w);
    floor_close(&f);
    maskdm_device_release(&dev);
    free_buffers(&m);
    return rc < 0;
}
