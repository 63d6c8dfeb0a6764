/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Guidance: one denoiser is carried on along the line that leads to it from a weaker one. The weaker may be the same
 * without labels; then both are asked in one batch where the device's memory allows.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "sample/denoiser.h"

struct guided {
    struct mdm_denoiser base;
    struct mdm_guiding how;
    int64_t batch;   /* 0: not ready */
    float *pair;     /* device memory [2B,H,W,C]: first the weaker's; NULL: one after the other */
    size_t bytes;    /* of that */
    int32_t *labels; /* [2B], of such a batch */
};

static void rest(struct mdm_denoiser *d)
{
    struct guided *g = (struct guided *)d;

    g->how.asked->kind->rest(g->how.asked);
    if (g->how.weaker)
        g->how.weaker->kind->rest(g->how.weaker);
    mdm_device_free(g->how.device, g->pair, g->bytes);
    mdm_free(g->labels);
    g->pair = NULL;
    g->labels = NULL;
    g->bytes = 0;
    g->batch = 0;
}

static void release(struct mdm_denoiser *d)
{
    struct guided *g = (struct guided *)d;

    mdm_denoiser_release(&g->how.asked);
    mdm_denoiser_release(&g->how.weaker);
    mdm_device_drop(&g->how.device);
    mdm_free(g);
}

static size_t memory(const struct mdm_denoiser *d)
{
    const struct guided *g = (const struct guided *)d;
    const struct mdm_denoiser *w = g->how.weaker;

    return g->how.asked->kind->memory(g->how.asked) + (w ? w->kind->memory(w) : 0) + g->bytes;
}

/* Of `images` images. */
static size_t bytes_of(const struct guided *g, int64_t images)
{
    return (size_t)(images * g->how.pixels * g->how.channels) * sizeof *g->pair;
}

static int wants(const struct mdm_denoiser *d, int64_t most, size_t *bytes)
{
    const struct guided *g = (const struct guided *)d;
    const struct mdm_denoiser *w = g->how.weaker;
    size_t more = 0;

    MDM_TRY(g->how.asked->kind->wants(g->how.asked, most, bytes));
    if (w)
        MDM_TRY(w->kind->wants(w, most, &more));
    *bytes += more;
    return MASKDM_OK;
}

/* Whether both may be asked at once, by what the device's limit leaves. */
static int fits(const struct guided *g, int64_t batch, size_t beside, int *answer)
{
    const size_t limit = mdm_device_limit(g->how.device), used = mdm_device_used(g->how.device);
    size_t bytes;

    *answer = !limit;
    if (g->how.weaker || !limit)
        return MASKDM_OK;
    MDM_TRY(g->how.asked->kind->wants(g->how.asked, 2 * batch, &bytes));
    *answer = used <= limit && beside <= limit - used && bytes <= limit - used - beside &&
              bytes_of(g, 2 * batch) <= limit - used - beside - bytes;
    return MASKDM_OK;
}

static int take(struct guided *g, int64_t batch, size_t beside)
{
    struct mdm_denoiser *const asked = g->how.asked, *const w = g->how.weaker;
    void *pair;
    int together;

    MDM_TRY(fits(g, batch, beside, &together));
    if (w) {
        MDM_TRY(asked->kind->ready(asked, batch, batch, beside));
        return w->kind->ready(w, batch, batch, beside);
    }
    MDM_TRY(asked->kind->ready(asked, batch, together ? 2 * batch : batch, beside));
    if (!together)
        return MASKDM_OK;
    g->labels = mdm_need((size_t)batch, 2 * sizeof *g->labels, "labels");
    if (!g->labels)
        return MASKDM_ENOMEM;
    MDM_TRY(
        mdm_device_alloc(g->how.device, &pair, bytes_of(g, 2 * batch), 0, "both predictions of a guided sampler"));
    g->pair = pair;
    g->bytes = bytes_of(g, 2 * batch);
    return MASKDM_OK;
}

/* Whoever asks wants one number of images of it. */
static int ready(struct mdm_denoiser *d, int64_t batch, int64_t most, size_t beside)
{
    struct guided *g = (struct guided *)d;
    int status;

    (void)most;
    if (g->batch == batch)
        return MASKDM_OK;
    rest(d);
    status = take(g, batch, beside);
    if (status < 0) {
        rest(d);
        return status;
    }
    g->batch = batch;
    return MASKDM_OK;
}

/* strong becomes the guided prediction. */
static int combine(const struct guided *g, double scale, const struct mdm_question *q, float *strong,
                   const float *weak)
{
    struct mdm_backend *b = mdm_device_backend(g->how.device);
    const struct mdm_mix job = mdm_guidance_job(&g->how.guidance, scale, q->batch * g->how.pixels * g->how.channels,
                                                g->how.channels, strong, weak);
    int status;

    MDM_TRY(mdm_device_enter(g->how.device));
    status = b->v->mix(b, &job);
    mdm_device_leave(g->how.device);
    return status;
}

static int ask_together(struct guided *g, double scale, const struct mdm_question *q, float *out)
{
    struct mdm_denoiser *const asked = g->how.asked;
    const size_t bytes = bytes_of(g, q->batch);
    float *weak = g->pair, *strong = g->pair + bytes / sizeof *g->pair;
    const struct mdm_question both = {
        .batch = 2 * q->batch, .time = q->time, .level = q->level, .x = g->pair, .labels = g->labels};

    for (int64_t i = 0; i < q->batch; i++) {
        g->labels[i] = -1;
        g->labels[q->batch + i] = q->labels[i];
    }
    MDM_TRY(mdm_device_copy(g->how.device, weak, q->x, bytes));
    MDM_TRY(mdm_device_copy(g->how.device, strong, q->x, bytes));
    MDM_TRY(asked->kind->ask(asked, &both, g->pair));
    MDM_TRY(combine(g, scale, q, strong, weak));
    return mdm_device_copy(g->how.device, out, strong, bytes);
}

static int ask_in_turn(struct guided *g, double scale, const struct mdm_question *q, float *out)
{
    struct mdm_denoiser *const asked = g->how.asked, *const weaker = g->how.weaker ? g->how.weaker : asked;
    struct mdm_question other = *q;

    other.spare = NULL;
    other.variance = NULL; /* it is not guided */
    if (g->how.unlabelled || !g->how.weaker)
        other.labels = NULL;
    MDM_TRY(weaker->kind->ask(weaker, &other, q->spare));
    MDM_TRY(asked->kind->ask(asked, q, out));
    return combine(g, scale, q, out, q->spare);
}

static int is_labelled(const struct mdm_question *q)
{
    for (int64_t i = 0; q->labels && i < q->batch; i++)
        if (q->labels[i] >= 0)
            return 1;
    return 0;
}

static int ask(struct mdm_denoiser *d, const struct mdm_question *q, float *out)
{
    struct guided *g = (struct guided *)d;
    struct mdm_denoiser *const asked = g->how.asked;
    const double scale = mdm_guidance_at(&g->how.guidance, q->level);

    if (scale == 1 || !(g->how.weaker || is_labelled(q)))
        return asked->kind->ask(asked, q, out);
    return g->pair && !q->variance ? ask_together(g, scale, q, out) : ask_in_turn(g, scale, q, out);
}

/* Both are asked for the same, and know of patches or neither is. */
static int narrow(struct mdm_denoiser *d, const int32_t *patch, int64_t visible)
{
    struct guided *g = (struct guided *)d;
    int status = MASKDM_OK;

    if (g->how.weaker)
        status = mdm_denoiser_narrow(g->how.weaker, patch, visible);
    if (status == MASKDM_OK)
        status = mdm_denoiser_narrow(g->how.asked, patch, visible);
    if (status < 0 && g->how.weaker)
        (void)mdm_denoiser_narrow(g->how.weaker, NULL, 0);
    return status;
}

static const struct mdm_denoiser_class kind = {ready, wants, ask, rest, release, memory, narrow, NULL};

int mdm_denoiser_guided(struct mdm_denoiser **out, const struct mdm_guiding *how)
{
    struct guided *g = mdm_need(1, sizeof *g, "a denoiser");
    struct mdm_denoiser *asked = how->asked, *weaker = how->weaker;

    *out = NULL;
    if (!g) {
        mdm_denoiser_release(&asked);
        mdm_denoiser_release(&weaker);
        return MASKDM_ENOMEM;
    }
    mdm_device_hold(how->device);
    *g = (struct guided){.base.kind = &kind, .how = *how};
    *out = &g->base;
    return MASKDM_OK;
}
