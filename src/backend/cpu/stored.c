/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Weights of 16 bits. Products that pack their factors widen what they pack; others are given a widened copy, of one
 * operation at a time. A float holds every value of both types, so that either way the sums are those of a float
 * weight of these values.
 */
#include "backend/cpu/stored.h"

#include "tensor/half.h"

enum { SPAN = 16384 };

struct widening {
    float *out;
    const uint16_t *w;
    enum mdm_dtype type;
    int64_t n;
};

static void widen_span(void *arg, int64_t piece, int worker)
{
    const struct widening *j = arg;
    const int64_t from = piece * SPAN, to = from + SPAN < j->n ? from + SPAN : j->n;

    (void)worker;
    for (int64_t i = from; i < to; i++)
        j->out[i] = mdm_stored_value(j->w, j->type, i);
}

int mdm_stored_weight(struct mdm_stored *out, struct mdm_cpu *cpu, const struct mdm_call *c, const void *w,
                      int64_t n)
{
    struct widening j = {c->scratch, w, c->stored, n};

    *out = (struct mdm_stored){w, c->stored};
    if (!mdm_stored_scratch(&cpu->base, c, n))
        return MASKDM_OK;
    *out = (struct mdm_stored){c->scratch, MDM_F32};
    return mdm_pool_run(cpu->pool, mdm_pieces(n, SPAN), widen_span, &j);
}

size_t mdm_stored_scratch(const struct mdm_backend *b, const struct mdm_call *c, int64_t n)
{
    return c->stored == MDM_F32 || ((const struct mdm_cpu *)b)->f32.tile ? 0 : (size_t)n * sizeof(float);
}
