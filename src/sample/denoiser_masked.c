/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A network that sees an image in parts: each pass has some of the patches, as in training with masks, and predicts
 * those; together they make the image. Weaker, since no part knows of the others, and about as dear as one whole
 * pass, or cheaper, since attention goes within a part. Which patches are together is drawn for every image and
 * evaluation.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "sample/pass.h"

#include <string.h>

struct masked {
    struct mdm_denoiser base;
    struct mdm_pass pass;
    int64_t parts, visible;      /* patches of a part */
    int64_t patch_values;        /* of a patch's prediction */
    struct mdm_program *program; /* of parts x B rows; row part B + b is a part of image b */
    int32_t *index;              /* [parts,B,visible] */
    float *said, *whole;         /* host memory: predictions as they come, and with every patch in its place */
};

static void rest(struct mdm_denoiser *d)
{
    struct masked *m = (struct masked *)d;

    mdm_program_release(&m->program);
    mdm_pass_rest(&m->pass);
    mdm_free(m->index);
    mdm_free(m->said);
    mdm_free(m->whole);
    m->index = NULL;
    m->said = m->whole = NULL;
}

static void release(struct mdm_denoiser *d)
{
    struct masked *m = (struct masked *)d;

    mdm_pass_end(&m->pass);
    mdm_free(m);
}

static size_t memory(const struct mdm_denoiser *d)
{
    const struct masked *m = (const struct masked *)d;

    return m->program ? m->program->arena_bytes : 0;
}

static struct mdm_extent extent_of(const struct masked *m, int64_t batch)
{
    return (struct mdm_extent){.batch = m->parts * batch, .visible = m->visible};
}

static int wants(const struct mdm_denoiser *d, int64_t most, size_t *bytes)
{
    const struct masked *m = (const struct masked *)d;
    maskdm_model *model = m->pass.model;

    return mdm_program_estimate(bytes, &model->layout, model->device, model->network, model->options,
                                extent_of(m, most), MDM_PROGRAM_PREDICT);
}

static int take(struct masked *m, int64_t batch)
{
    const size_t patches = (size_t)(m->parts * batch * m->visible);
    const size_t bytes = (size_t)m->patch_values * sizeof *m->said;

    MDM_TRY(mdm_program_create(&m->program, m->pass.model, extent_of(m, batch), MDM_PROGRAM_PREDICT));
    if (m->program->ports.index == MDM_NONE)
        return mdm_fail(MASKDM_EINVAL, "network %s sees whole images alone, and cannot guide by parts of them",
                        m->pass.model->network->name);
    m->index = mdm_need(patches, sizeof *m->index, "patches of the sampler");
    m->said = mdm_need(patches, bytes, "predictions of the sampler");
    m->whole = mdm_need(patches, bytes, "predictions of the sampler");
    if (!m->index || !m->said || !m->whole)
        return MASKDM_ENOMEM;
    return mdm_pass_take(&m->pass, m->parts * batch);
}

/* What guides is asked for one number of images. */
static int ready(struct mdm_denoiser *d, int64_t batch, int64_t most, size_t beside)
{
    struct masked *m = (struct masked *)d;
    int status;

    (void)batch;
    (void)beside;
    if (m->program && m->program->extent.batch == m->parts * most)
        return MASKDM_OK;
    rest(d);
    status = take(m, most);
    if (status < 0)
        rest(d);
    return status;
}

static int32_t *part_of(const struct masked *m, int64_t part, int64_t batch, int64_t image)
{
    return m->index + (part * batch + image) * m->visible;
}

/* Part after part takes its patches out of those that are left, which stand in the last part and before it. */
static void divide(struct masked *m, const struct mdm_question *q, int64_t image, int32_t *left)
{
    struct mdm_rng stream = mdm_rng_make(q->seeds[image], MDM_DRAW_MASK, 0, (uint64_t)q->evaluation);
    int64_t count = m->parts * m->visible;

    for (int64_t i = 0; i < count; i++)
        left[i] = (int32_t)i;
    for (int64_t part = 0; part < m->parts; part++) {
        int32_t *own = part_of(m, part, q->batch, image);
        int64_t stay = 0, k = 0;

        mdm_rng_choose(&stream, own, m->visible, count);
        for (int64_t i = 0; i < count; i++) {
            if (k < m->visible && own[k] == i)
                own[k++] = left[i];
            else
                left[stay++] = left[i];
        }
        count = stay;
    }
}

/* [parts,B,visible] patches to [B,parts x visible] in the image's order, and pixels of them. */
static int join(void *user, struct mdm_program *p, float *out)
{
    struct masked *m = user;
    const struct mdm_geometry *g = &m->pass.model->geometry;
    struct mdm_backend *b = mdm_device_backend(m->pass.model->device);
    const int64_t rows = p->extent.batch, batch = rows / m->parts, patches = m->parts * m->visible;
    const size_t bytes = (size_t)m->patch_values * sizeof *m->said, all = bytes * (size_t)(rows * m->visible);
    const struct mdm_unpatchify job = {.batch = batch,
                                       .height = g->height,
                                       .width = g->width,
                                       .channels = g->channels,
                                       .outputs = g->outputs,
                                       .patch = g->patch,
                                       .pred = mdm_program_output(p),
                                       .image = out};

    MDM_TRY(b->v->download(b, m->said, mdm_program_output(p), all));
    for (int64_t row = 0; row < rows; row++)
        for (int64_t k = 0; k < m->visible; k++)
            memcpy(m->whole + (row % batch * patches + m->index[row * m->visible + k]) * m->patch_values,
                   m->said + (row * m->visible + k) * m->patch_values, bytes);
    MDM_TRY(b->v->upload(b, mdm_program_output(p), m->whole, all));
    return b->v->unpatchify(b, &job);
}

static int ask(struct mdm_denoiser *d, const struct mdm_question *q, float *out)
{
    struct masked *m = (struct masked *)d;

    /* m->whole is free meanwhile, and a patch has at least as many bytes as its index. */
    for (int64_t i = 0; i < q->batch; i++)
        divide(m, q, i, (int32_t *)(void *)m->whole);
    return mdm_pass_run(&m->pass, m->program, q, m->index, NULL, join, m, out);
}

static const struct mdm_denoiser_class kind = {ready, wants, ask, rest, release, memory, NULL, "guidance_by masked"};

int mdm_denoiser_masked(struct mdm_denoiser **out, maskdm_model *model, enum maskdm_weights which, int64_t parts,
                        maskdm_control *control)
{
    const struct mdm_geometry *g = &model->geometry;
    struct masked *m = mdm_need(1, sizeof *m, "a denoiser");

    *out = NULL;
    if (!m)
        return MASKDM_ENOMEM;
    *m = (struct masked){.base.kind = &kind,
                         .pass = mdm_pass_of(model, which, control),
                         .parts = parts,
                         .visible = g->patches / parts,
                         .patch_values = g->patch * g->patch * g->outputs};
    *out = &m->base;
    return MASKDM_OK;
}
