/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A network of which some tokens pass the routed blocks by, as in training: weaker, since these blocks see fewer (the
 * authors of TREAD guide a pass with more by one with less; CompVis/tread, README). Which tokens is drawn for every
 * image and evaluation.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "sample/pass.h"

struct routed {
    struct mdm_denoiser base;
    struct mdm_pass pass;
    int64_t kept; /* tokens of an image that go through these blocks */
    struct mdm_program *program;
    int32_t *keep; /* [B,kept] */
};

static void rest(struct mdm_denoiser *d)
{
    struct routed *r = (struct routed *)d;

    mdm_program_release(&r->program);
    mdm_pass_rest(&r->pass);
    mdm_free(r->keep);
    r->keep = NULL;
}

static void release(struct mdm_denoiser *d)
{
    struct routed *r = (struct routed *)d;

    mdm_pass_end(&r->pass);
    mdm_free(r);
}

static size_t memory(const struct mdm_denoiser *d)
{
    const struct routed *r = (const struct routed *)d;

    return r->program ? r->program->arena_bytes : 0;
}

static struct mdm_extent extent_of(const struct routed *r, int64_t batch)
{
    return (struct mdm_extent){.batch = batch, .visible = r->pass.model->geometry.patches, .routed = r->kept};
}

static int wants(const struct mdm_denoiser *d, int64_t most, size_t *bytes)
{
    const struct routed *r = (const struct routed *)d;
    maskdm_model *m = r->pass.model;

    return mdm_program_estimate(bytes, &m->layout, m->device, m->network, m->options, extent_of(r, most),
                                MDM_PROGRAM_PREDICT);
}

static int take(struct routed *r, int64_t batch)
{
    MDM_TRY(mdm_program_create(&r->program, r->pass.model, extent_of(r, batch), MDM_PROGRAM_PREDICT));
    r->keep = mdm_need((size_t)batch, (size_t)r->kept * sizeof *r->keep, "routed tokens of the sampler");
    return r->keep ? mdm_pass_take(&r->pass, batch) : MASKDM_ENOMEM;
}

/* What guides is asked for one number of images. */
static int ready(struct mdm_denoiser *d, int64_t batch, int64_t most, size_t beside)
{
    struct routed *r = (struct routed *)d;
    int status;

    (void)batch;
    (void)beside;
    if (r->program && r->program->extent.batch == most)
        return MASKDM_OK;
    rest(d);
    status = take(r, most);
    if (status < 0)
        rest(d);
    return status;
}

static int image(void *user, struct mdm_program *p, float *out)
{
    (void)user;
    return mdm_program_image(p, out);
}

static int ask(struct mdm_denoiser *d, const struct mdm_question *q, float *out)
{
    struct routed *r = (struct routed *)d;

    for (int64_t i = 0; i < q->batch; i++) {
        struct mdm_rng stream = mdm_rng_make(q->seeds[i], MDM_DRAW_ROUTE, 0, (uint64_t)q->evaluation);

        mdm_rng_choose(&stream, r->keep + i * r->kept, r->kept, r->pass.model->geometry.patches);
    }
    return mdm_pass_run(&r->pass, r->program, q, NULL, r->keep, image, NULL, out);
}

static const struct mdm_denoiser_class kind = {ready, wants, ask, rest, release, memory, NULL, "guidance_by routed"};

int mdm_denoiser_routed(struct mdm_denoiser **out, maskdm_model *model, enum maskdm_weights which, int64_t kept,
                        maskdm_control *control)
{
    struct routed *r = mdm_need(1, sizeof *r, "a denoiser");

    *out = NULL;
    if (!r)
        return MASKDM_ENOMEM;
    *r = (struct routed){.base.kind = &kind, .pass = mdm_pass_of(model, which, control), .kept = kept};
    *out = &r->base;
    return MASKDM_OK;
}
