/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Guidance: another denoiser is asked with labels and without, and what it says is carried on along the line that
 * leads from the latter to the former.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "sample/denoiser.h"

struct guided {
    struct mdm_denoiser base, *asked;
    maskdm_device *device;
    int64_t values; /* of an image */
    double scale;
};

static void rest(struct mdm_denoiser *d)
{
    struct guided *g = (struct guided *)d;

    g->asked->kind->rest(g->asked);
}

static void release(struct mdm_denoiser *d)
{
    struct guided *g = (struct guided *)d;

    mdm_denoiser_release(&g->asked);
    mdm_device_drop(&g->device);
    mdm_free(g);
}

static size_t memory(const struct mdm_denoiser *d)
{
    const struct guided *g = (const struct guided *)d;

    return g->asked->kind->memory(g->asked);
}

static int ready(struct mdm_denoiser *d, int64_t batch)
{
    struct guided *g = (struct guided *)d;

    return g->asked->kind->ready(g->asked, batch);
}

static int ask(struct mdm_denoiser *d, const struct mdm_question *q, float *out)
{
    struct guided *g = (struct guided *)d;
    struct mdm_backend *b = mdm_device_backend(g->device);
    const struct mdm_mix guided = {
        .n = q->batch * g->values, .count = 2, .x = {q->spare, out}, .a = {1 - g->scale, g->scale}, .y = out};
    struct mdm_question null = *q;
    int status;

    null.labels = NULL;
    MDM_TRY(g->asked->kind->ask(g->asked, q, out));
    if (!q->labels)
        return MASKDM_OK;
    MDM_TRY(g->asked->kind->ask(g->asked, &null, q->spare));
    MDM_TRY(mdm_device_enter(g->device));
    status = b->v->mix(b, &guided);
    mdm_device_leave(g->device);
    return status;
}

static int narrow(struct mdm_denoiser *d, const int32_t *patch, int64_t visible)
{
    return mdm_denoiser_narrow(((struct guided *)d)->asked, patch, visible);
}

static const struct mdm_denoiser_class kind = {ready, ask, rest, release, memory, narrow};

int mdm_denoiser_guided(struct mdm_denoiser **out, struct mdm_denoiser *asked, maskdm_device *device, int64_t values,
                        double scale)
{
    struct guided *g = mdm_need(1, sizeof *g, "a denoiser");

    *out = NULL;
    if (!g) {
        mdm_denoiser_release(&asked);
        return MASKDM_ENOMEM;
    }
    mdm_device_hold(device);
    *g = (struct guided){.base.kind = &kind, .asked = asked, .device = device, .values = values, .scale = scale};
    *out = &g->base;
    return MASKDM_OK;
}
