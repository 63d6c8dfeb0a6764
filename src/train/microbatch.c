/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory and jobs of a micro-batch.
 */
#include "train/microbatch.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"

enum { IMAGES = 4, NUMBERS = 10 }; /* arrays of each kind */

size_t mdm_microbatch_bytes(int64_t batch, int64_t values)
{
    size_t bytes;

    return mdm_mul_size(&bytes, (size_t)batch, IMAGES * (size_t)values * sizeof(float)) ? SIZE_MAX : bytes;
}

int mdm_microbatch_take(struct mdm_microbatch *m, maskdm_device *device, struct mdm_extent extent,
                        const struct mdm_geometry *g)
{
    const int64_t values = g->height * g->width * g->channels;
    const size_t b = (size_t)extent.batch, n = b * (size_t)values;
    float **images[IMAGES] = {&m->images, &m->noise, &m->input, &m->target};
    double **number[NUMBERS] = {&m->times,        &m->network_times, &m->signal, &m->level,    &m->target_x0,
                                &m->target_noise, &m->weight,        &m->losses, &m->denoised, &m->second};
    double *numbers;

    *m = (struct mdm_microbatch){.device = device, .batch = extent.batch, .values = values, .geometry = g};
    for (size_t i = 0; i < IMAGES; i++) {
        void *memory;

        MDM_TRY(mdm_device_alloc(device, &memory, n * sizeof(float), 1, "the batch of a trainer"));
        *images[i] = memory;
    }
    numbers = mdm_need(NUMBERS * b, sizeof *numbers, "the numbers of a batch");
    for (size_t i = 0; numbers && i < NUMBERS; i++)
        *number[i] = numbers + i * b;
    m->staged = mdm_need_aligned(n * sizeof *m->staged, "the images of a batch");
    if (g->space && !(m->entered = mdm_need_aligned(n * sizeof *m->entered, "the images of a batch")))
        return MASKDM_ENOMEM;
    m->streams = mdm_need(b, sizeof *m->streams, "noise streams");
    m->labels = mdm_need(b, sizeof *m->labels, "labels");
    m->index = mdm_need(b * (size_t)extent.visible, sizeof *m->index, "patch indices");
    m->dropped = mdm_need(b, sizeof *m->dropped, "dropped paths");
    if (!numbers || !m->staged || !m->streams || !m->labels || !m->index || !m->dropped)
        return MASKDM_ENOMEM;
    if (mdm_extent_kept(&extent))
        m->keep = mdm_need((size_t)mdm_extent_kept(&extent), sizeof *m->keep, "kept tokens");
    return !mdm_extent_kept(&extent) || m->keep ? MASKDM_OK : MASKDM_ENOMEM;
}

void mdm_microbatch_give(struct mdm_microbatch *m)
{
    const size_t bytes = (size_t)m->batch * (size_t)m->values * sizeof(float);
    float *const images[IMAGES] = {m->images, m->noise, m->input, m->target};

    for (size_t i = 0; i < IMAGES; i++)
        if (images[i])
            mdm_device_free(m->device, images[i], bytes);
    mdm_free(m->times); /* the first of all numbers */
    mdm_free(m->staged);
    mdm_free(m->entered);
    mdm_free(m->streams);
    mdm_free(m->labels);
    mdm_free(m->index);
    mdm_free(m->keep);
    mdm_free(m->dropped);
    *m = (struct mdm_microbatch){0};
}

int mdm_microbatch_upload(struct mdm_microbatch *m, float *to, const float *from, int64_t count)
{
    struct mdm_backend *b = mdm_device_backend(m->device);

    return b->v->upload(b, to, from, (size_t)(count * m->values) * sizeof *to);
}

int mdm_microbatch_enter(struct mdm_microbatch *m, const float *pixels, int64_t count)
{
    const struct mdm_geometry *g = m->geometry;

    for (int64_t i = 0; g->space && i < count; i++)
        g->space->enter(m->entered + i * m->values, pixels + i * m->values, g->height, g->width, g->channels);
    return mdm_microbatch_upload(m, m->images, g->space ? m->entered : pixels, count);
}

int mdm_microbatch_draw_noise(struct mdm_microbatch *m, uint64_t seed, int64_t first, int64_t step, int64_t count)
{
    struct mdm_backend *b = mdm_device_backend(m->device);

    for (int64_t i = 0; i < count; i++)
        m->streams[i] = mdm_rng_make(seed, MDM_DRAW_NOISE, (uint64_t)(first + i), (uint64_t)step);
    return b->v->normal(b, m->noise, count, m->values, m->streams);
}

int mdm_microbatch_mix(struct mdm_microbatch *m, int64_t count)
{
    struct mdm_backend *b = mdm_device_backend(m->device);
    const struct mdm_noising job = {.batch = count,
                                    .n = m->values,
                                    .x0 = m->images,
                                    .eps = m->noise,
                                    .signal = m->signal,
                                    .noise = m->level,
                                    .target_x0 = m->target_x0,
                                    .target_eps = m->target_noise,
                                    .x_t = m->input,
                                    .target = m->target};

    return b->v->noising(b, &job);
}

void mdm_microbatch_count(struct mdm_microbatch *m, const maskdm_scheduler *s, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const struct mdm_facts f = mdm_scheduler_facts(s, m->times[i]);

        m->signal[i] = f.input_scale * f.level.signal;
        m->level[i] = f.input_scale * f.level.noise;
        m->target_x0[i] = f.target.a;
        m->target_noise[i] = f.target.b;
        m->weight[i] = f.weight;
        m->network_times[i] = f.network_time;
        m->denoised[i] = f.clean.b;
    }
}

int mdm_microbatch_noise(struct mdm_microbatch *m, const maskdm_scheduler *s, int64_t count)
{
    mdm_microbatch_count(m, s, count);
    return mdm_microbatch_mix(m, count);
}

/* Of a kind of patches, into `losses`; the output is what `how` has in its place, if anything. */
static int compare(struct mdm_microbatch *m, const struct mdm_program *p, int kind, const struct mdm_loss *how,
                   double *losses)
{
    struct mdm_backend *b = mdm_device_backend(m->device);
    const struct mdm_part part = mdm_geometry_part(&p->model->geometry, &p->extent, kind);
    float *dpred = mdm_program_output_gradient(p);
    struct mdm_loss job = *how;

    job.batch = p->extent.batch;
    job.height = part.height;
    job.width = part.width;
    job.channels = part.of->channels;
    job.outputs = part.outputs;
    job.patch = part.of->patch;
    job.visible = part.visible;
    job.pred = (how->pred ? how->pred : mdm_program_output(p)) + part.first;
    job.target = m->target + part.of->channel;
    job.index = (how->index ? how->index : p->every) + part.place;
    job.weight = m->weight;
    job.loss = losses;
    job.dpred = dpred ? dpred + part.first : NULL;
    job.beside = part.beside;
    return b->v->loss(b, &job);
}

int mdm_microbatch_loss(struct mdm_microbatch *m, const struct mdm_program *p, const int32_t *index,
                        enum mdm_loss_kind kind, double delta, double scale, int late)
{
    const struct mdm_loss how = {.kind = kind, .delta = delta, .index = index, .scale = scale, .late = late};

    MDM_TRY(compare(m, p, 0, &how, m->losses));
    if (m->geometry->kinds == 1)
        return MASKDM_OK;
    MDM_TRY(compare(m, p, 1, &how, m->second));
    for (int64_t b = 0; b < p->extent.batch; b++)
        m->losses[b] += m->second[b];
    return MASKDM_OK;
}

/* Of two kinds of patches the host adds the losses up. */
int mdm_microbatch_is_late(const struct mdm_microbatch *m)
{
    return mdm_device_backend(m->device)->v->collect && m->geometry->kinds == 1;
}

int mdm_microbatch_collect(struct mdm_microbatch *m, int64_t count)
{
    struct mdm_backend *b = mdm_device_backend(m->device);

    return b->v->collect(b, m->losses, count);
}

int mdm_microbatch_error(struct mdm_microbatch *m, const struct mdm_program *p)
{
    const struct mdm_geometry *g = m->geometry;
    const struct mdm_loss how = {.kind = MDM_LOSS_L2, .scale = 1};

    MDM_TRY(compare(m, p, 0, &how, m->losses));
    if (g->kinds == 1)
        return MASKDM_OK;
    MDM_TRY(compare(m, p, 1, &how, m->second));
    for (int64_t b = 0; b < p->extent.batch; b++)
        m->losses[b] = mdm_geometry_share(g, 0) * m->losses[b] + mdm_geometry_share(g, 1) * m->second[b];
    return MASKDM_OK;
}

int mdm_microbatch_norm(struct mdm_microbatch *m, const struct mdm_program *p, const int32_t *index,
                        const float *apart, const double *deltas, double scale)
{
    const struct mdm_loss how = {
        .kind = MDM_LOSS_PSEUDO_HUBER_IMAGE, .pred = apart, .deltas = deltas, .index = index, .scale = scale};

    return compare(m, p, 0, &how, m->losses);
}
