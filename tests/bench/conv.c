/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A convolution of 3x3 windows alone, forward and backward, against the floor of its three products. w->side is the
 * image's, w->dim the channels of input and output, w->blocks unused.
 */
#include "floor.h"

#include "backend/device.h"
#include "base/alloc.h"

enum { WINDOW = 3 };

struct buffers {
    float *x, *w, *b, *y, *dx, *dw, *db, *dy;
    void *scratch;
};

static void free_buffers(struct buffers *m)
{
    mdm_free(m->x);
    mdm_free(m->w);
    mdm_free(m->b);
    mdm_free(m->y);
    mdm_free(m->dx);
    mdm_free(m->dw);
    mdm_free(m->db);
    mdm_free(m->dy);
    mdm_free(m->scratch);
}

static float *take(const struct mdm_shape *s)
{
    const int64_t n = mdm_shape_numel(s);
    float *p = mdm_need_aligned((size_t)n * sizeof *p, "a buffer");

    for (int64_t i = 0; p && i < n; i++)
        p[i] = (float)((uint32_t)i * 2654435761u >> 16) / 32768.0f - 1.0f;
    return p;
}

/* What torch_peer.py finds as well. */
static double mean_square(const float *p, const struct mdm_shape *s)
{
    const int64_t n = mdm_shape_numel(s);
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += (double)p[i] * (double)p[i];
    return sum / (double)n;
}

/* Seconds of one forward and backward, the mean over as many as fill about half a second. */
static double time_kernel(struct mdm_backend *b, const struct mdm_kernel *k, const struct mdm_call *forward,
                          const struct mdm_call *backward)
{
    double start = clock_seconds(), now;
    int n = 0;

    do {
        if (k->forward(b, forward) < 0 || k->backward(b, backward) < 0)
            return -1;
        n++;
        now = clock_seconds();
    } while (now - start < 0.5);
    return (now - start) / n;
}

static int measure(const struct workload *w, const struct settings *s, struct mdm_backend *b, struct floor *f,
                   struct buffers *m)
{
    const int64_t c = w->dim, rows = w->batch * w->side * w->side, taps = WINDOW * WINDOW * c;
    const struct products products = {
        .p = {{0, 1, rows, c, taps, 1, 0}, {0, 0, rows, c, taps, 1, 0}, {1, 0, c, taps, rows, 1, 0}}, .count = 3};
    const struct mdm_kernel *k = b->v->kernel(b, MDM_OP_CONV, MDM_F32);
    const struct mdm_shape x = mdm_shape4(w->batch, w->side, w->side, c), weight = mdm_shape4(c, c, WINDOW, WINDOW);
    const struct mdm_shape bias = mdm_shape1(c);
    struct mdm_call forward = {.op = MDM_OP_CONV, .dtype = MDM_F32, .attr = {1, 1, 1}}, backward;
    struct series step = {.n = 0}, floor = {.n = 0}, ratio = {.n = 0};
    struct rates rates = {.fma = {.n = 0}};

    *m = (struct buffers){take(&x), take(&weight), take(&bias), take(&x), take(&x), take(&weight), take(&bias),
                          take(&x), NULL};
    forward.in_shape[0] = forward.out_shape[0] = &x, forward.in_shape[1] = &weight, forward.in_shape[2] = &bias;
    m->scratch = mdm_need_aligned(k->scratch(b, &forward, 1), "scratch");
    if (!m->x || !m->w || !m->b || !m->y || !m->dx || !m->dw || !m->db || !m->dy || !m->scratch)
        return MASKDM_ENOMEM;
    forward.in[0] = m->x, forward.in[1] = m->w, forward.in[2] = m->b, forward.scratch = m->scratch;
    backward = forward;
    forward.out[0] = m->y;
    backward.dout[0] = m->dy, backward.din[0] = m->dx, backward.din[1] = m->dw, backward.din[2] = m->db;
    for (int r = 0; r < s->rounds; r++) {
        double t;

        rates_add(&rates, s);
        series_add(&floor, floor_seconds(f, &products));
        t = time_kernel(b, k, &forward, &backward);
        if (t < 0)
            return -1;
        series_add(&step, t);
        series_add(&ratio, floor.x[r] / t);
    }
    print_line(w, s, &ratio, &rates,
               "step_ms=%.2f floor_ms=%.2f gflops=%.1f batch=%ld channels=%ld side=%ld y=%.9g dx=%.9g dw=%.9g",
               1e3 * series_median(&step), 1e3 * series_median(&floor),
               products_flops(&products) / series_median(&step) / 1e9, (long)w->batch, (long)c, (long)w->side,
               mean_square(m->y, &x), mean_square(m->dx, &x), mean_square(m->dw, &weight));
    return 0;
}

int run_convolution(const struct workload *w, const struct settings *s)
{
    struct buffers m = {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL};
    maskdm_device *dev = NULL;
    struct floor *f = NULL;
    int rc;

    if ((rc = open_device(&dev, s, s->threads)) == 0 && (rc = floor_open(&f, s)) == 0) {
        rc = mdm_device_enter(dev);
        if (rc == 0) {
            rc = measure(w, s, mdm_device_backend(dev), f, &m);
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
