/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Noise on images: drawing it, mixing it in, and putting patches back into an image.
 */
#include "backend/cpu/cpu.h"
#include "base/error.h"

#include <string.h>

enum { SPAN = 4096 };

struct normal {
    float *out;
    const struct mdm_rng *stream;
    int64_t n, spans;
};

static void draw_span(void *arg, int64_t i, int worker)
{
    const struct normal *j = arg;
    int64_t b = i / j->spans, from = i % j->spans * SPAN, n = j->n - from < SPAN ? j->n - from : SPAN;

    (void)worker;
    mdm_rng_normal(j->out + b * j->n + from, (size_t)n, &j->stream[b], (uint64_t)from);
}

int mdm_cpu_normal(struct mdm_backend *b, float *out, int64_t batch, int64_t n, const struct mdm_rng *stream)
{
    struct normal j = {.out = out, .stream = stream, .n = n, .spans = mdm_pieces(n, SPAN)};

    return mdm_pool_run(mdm_cpu_of(b)->pool, batch * j.spans, draw_span, &j);
}

static void noise_image(void *arg, int64_t b, int worker)
{
    const struct mdm_noising *j = arg;
    const float *x0 = j->x0 + b * j->n, *eps = j->eps + b * j->n;
    float *x_t = j->x_t + b * j->n;
    float signal = (float)j->signal[b], noise = (float)j->noise[b];

    (void)worker;
    for (int64_t i = 0; i < j->n; i++)
        x_t[i] = signal * x0[i] + noise * eps[i];
    if (j->target) {
        float *target = j->target + b * j->n, a = (float)j->target_x0[b], e = (float)j->target_eps[b];
        for (int64_t i = 0; i < j->n; i++)
            target[i] = a * x0[i] + e * eps[i];
    }
}

int mdm_cpu_noising(struct mdm_backend *b, const struct mdm_noising *j)
{
    struct mdm_noising copy = *j;

    return mdm_pool_run(mdm_cpu_of(b)->pool, j->batch, noise_image, &copy);
}

/* Pixels' first channels, from pixels that may have more, into such that may have others beside. */
static void copy_pixels(const struct mdm_unpatchify *j, float *to, const float *from, int64_t pixels)
{
    if (j->channels == j->outputs && j->channels == j->beside.channels) {
        memcpy(to, from, (size_t)(pixels * j->channels) * sizeof *to);
        return;
    }
    for (int64_t i = 0; i < pixels; i++)
        for (int64_t c = 0; c < j->channels; c++)
            to[i * j->beside.channels + c] = from[i * j->outputs + c];
}

static void join_image(void *arg, int64_t b, int worker)
{
    const struct mdm_unpatchify *j = arg;
    const float *from = j->pred + b * j->beside.pred;

    (void)worker;
    for (int64_t top = 0; top < j->height; top += j->patch)
        for (int64_t left = 0; left < j->width; left += j->patch)
            for (int64_t r = 0; r < j->patch; r++, from += j->patch * j->outputs)
                copy_pixels(j, j->image + ((b * j->height + top + r) * j->width + left) * j->beside.channels, from,
                            j->patch);
}

int mdm_cpu_unpatchify(struct mdm_backend *b, const struct mdm_unpatchify *job)
{
    struct mdm_unpatchify j = *job;

    if (!j.beside.channels)
        j.beside.channels = j.channels;
    if (!j.beside.pred)
        j.beside.pred = j.height * j.width * j.outputs;
    return mdm_pool_run(mdm_cpu_of(b)->pool, j.batch, join_image, &j);
}
