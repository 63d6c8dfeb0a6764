/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A model's network, with its programs for as many images as are asked for at once. They may leave its deep blocks
 * out, as a sprint's authors guide it (Park et al. 2025, arXiv 2510.21986, path-drop guidance).
 */
#include "base/alloc.h"
#include "base/error.h"
#include "sample/pass.h"
#include "sample/patches.h"

struct network {
    struct mdm_denoiser base;
    struct mdm_pass pass;
    int shallow;                 /* without its deep blocks */
    struct mdm_program *program; /* for most images; NULL: not ready */
    struct mdm_patches patches;  /* that it is given */
    struct mdm_program *fewer;   /* in its arena; NULL: it is asked for one number of images alone */
};

static void rest(struct mdm_denoiser *d)
{
    struct network *n = (struct network *)d;

    mdm_program_release(&n->fewer);
    mdm_program_release(&n->program);
    mdm_patches_rest(&n->patches);
    mdm_pass_rest(&n->pass);
}

static void release(struct mdm_denoiser *d)
{
    struct network *n = (struct network *)d;

    mdm_patches_free(&n->patches);
    mdm_pass_end(&n->pass);
    mdm_free(n);
}

static size_t memory(const struct mdm_denoiser *d)
{
    const struct network *n = (const struct network *)d;

    return n->program ? n->program->arena_bytes : 0;
}

static struct mdm_extent extent_of(const struct network *n, int64_t batch)
{
    const int64_t visible = n->patches.visible ? n->patches.visible : n->pass.model->geometry.patches;

    return (struct mdm_extent){.batch = batch, .visible = visible, .shallow = n->shallow};
}

static int wants(const struct mdm_denoiser *d, int64_t most, size_t *bytes)
{
    const struct network *n = (const struct network *)d;
    maskdm_model *m = n->pass.model;

    return mdm_program_estimate(bytes, &m->layout, m->device, m->network, m->options, extent_of(n, most),
                                MDM_PROGRAM_PREDICT);
}

static int take(struct network *n, int64_t batch, int64_t most)
{
    MDM_TRY(mdm_program_create(&n->program, n->pass.model, extent_of(n, most), MDM_PROGRAM_PREDICT));
    if (batch < most)
        MDM_TRY(mdm_program_create_in(&n->fewer, n->program, extent_of(n, batch), MDM_PROGRAM_PREDICT));
    MDM_TRY(mdm_patches_ready(&n->patches, n->program));
    return mdm_pass_take(&n->pass, most);
}

static int is_for(const struct mdm_program *p, int64_t batch)
{
    return p && p->extent.batch == batch;
}

static int ready(struct mdm_denoiser *d, int64_t batch, int64_t most, size_t beside)
{
    struct network *n = (struct network *)d;
    int status;

    (void)beside;
    if (!is_for(n->program, most) || (batch != most && !is_for(n->fewer, batch))) {
        rest(d);
        status = take(n, batch, most);
        if (status < 0) {
            rest(d);
            return status;
        }
    }
    mdm_program_hold_weights(n->program, !n->fewer); /* which are the host's between jobs */
    return MASKDM_OK;
}

struct answer {
    struct network *n;
    float *variance; /* or NULL */
};

static int take_answer(void *user, struct mdm_program *p, float *out)
{
    const struct answer *a = user;
    struct mdm_patches *some = a->n->patches.index ? &a->n->patches : NULL;

    MDM_TRY(some ? mdm_patches_image(some, p, 0, out) : mdm_program_image(p, out));
    if (!a->variance)
        return MASKDM_OK;
    return some ? mdm_patches_image(some, p, p->model->geometry.channels, a->variance)
                : mdm_program_variance(p, a->variance);
}

static int ask(struct mdm_denoiser *d, const struct mdm_question *q, float *out)
{
    struct network *n = (struct network *)d;
    struct answer a = {n, q->variance};

    return mdm_pass_run(&n->pass, is_for(n->program, q->batch) ? n->program : n->fewer, q, n->patches.index, NULL,
                        take_answer, &a, out);
}

static int narrow(struct mdm_denoiser *d, const int32_t *patch, int64_t visible)
{
    struct network *n = (struct network *)d;

    if (patch)
        MDM_TRY(mdm_past_check_masked(&n->pass.model->past, "surround"));
    MDM_TRY(mdm_patches_choose(&n->patches, patch, visible));
    rest(d);
    return MASKDM_OK;
}

static const struct mdm_denoiser_class kind = {ready, wants, ask, rest, release, memory, narrow, NULL};

static int create(struct mdm_denoiser **out, maskdm_model *model, enum maskdm_weights which, int shallow,
                  maskdm_control *control)
{
    struct network *n = mdm_need(1, sizeof *n, "a denoiser");

    *out = NULL;
    if (!n)
        return MASKDM_ENOMEM;
    *n = (struct network){.base.kind = &kind, .pass = mdm_pass_of(model, which, control), .shallow = shallow};
    *out = &n->base;
    return MASKDM_OK;
}

int mdm_denoiser_of_model(struct mdm_denoiser **out, maskdm_model *model, enum maskdm_weights which,
                          maskdm_control *control)
{
    return create(out, model, which, 0, control);
}

int mdm_denoiser_shallow(struct mdm_denoiser **out, maskdm_model *model, enum maskdm_weights which,
                         maskdm_control *control)
{
    return create(out, model, which, 1, control);
}
