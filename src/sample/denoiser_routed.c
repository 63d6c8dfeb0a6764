/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A network of which some tokens pass the routed blocks by, as in training: weaker, since these blocks see fewer (the
 * authors of TREAD guide a pass with more by one with less; CompVis/tread, README). Which tokens is drawn for every
 * image and evaluation.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "model/routing.h"
#include "sample/pass.h"

struct routed {
    struct mdm_denoiser base;
    struct mdm_pass pass;
    struct mdm_routing routing;
    double ratio; /* of the tokens that pass each route's blocks by */
    struct mdm_program *program;
    int32_t *keep; /* who takes part, mdm_extent_kept() */
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
    struct mdm_extent e = {.batch = batch, .visible = r->pass.model->geometry.patches};

    (void)mdm_routing_pass(&r->routing, r->pass.model->options, r->ratio, &e); /* of all patches any share fits */
    return e;
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
    const struct mdm_extent e = extent_of(r, batch);
    const int64_t count = mdm_extent_kept(&e);

    MDM_TRY(mdm_program_create(&r->program, r->pass.model, e, MDM_PROGRAM_PREDICT));
    r->keep = mdm_need((size_t)count + 1, sizeof *r->keep, "routed tokens of the sampler");
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

        mdm_routing_draw(&r->routing, &r->program->extent, &stream, i, r->keep);
    }
    return mdm_pass_run(&r->pass, r->program, q, NULL, r->keep, image, NULL, out);
}

static const struct mdm_denoiser_class kind = {ready, wants, ask, rest, release, memory, NULL, "guidance_by routed"};

int mdm_denoiser_routed(struct mdm_denoiser **out, maskdm_model *model, enum maskdm_weights which, double ratio,
                        maskdm_control *control)
{
    struct mdm_routing routing;
    struct routed *r;

    *out = NULL;
    MDM_TRY(mdm_network_routing(&routing, model->network, model->options));
    r = mdm_need(1, sizeof *r, "a denoiser");
    if (!r)
        return MASKDM_ENOMEM;
    *r = (struct routed){
        .base.kind = &kind, .pass = mdm_pass_of(model, which, control), .routing = routing, .ratio = ratio};
    *out = &r->base;
    return MASKDM_OK;
}
