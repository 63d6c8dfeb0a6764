/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Held-out loss: how far the predicted x0 is from the image, whole images under levels of noise that are the same for
 * every process, prediction and weight, so that runs compare; levels and noise are fixed by the seed. ln(noise /
 * signal) is stratified: image i of n gets the middle of part i' of n, i' a fixed permutation.
 */
#include "train/held_out.h"
#include "train/trainer.h"

#include "base/alloc.h"
#include "base/error.h"
#include "data/data.h"

#include <math.h>

/* A step that no run reaches, so that validation never shares a stream with training. */
static const int64_t validation_step = (int64_t)1 << 40;

struct check {
    maskdm_trainer *tr;
    maskdm_data *data;
    const float *weights;
    int64_t count; /* images */
    double *bucket;
    int64_t *seen, buckets;
};

/* Whole images fit the training arena, a few at a time; where not even one does, the program takes its own. */
static int make_program(maskdm_trainer *tr)
{
    const struct mdm_program *host = tr->room;
    struct mdm_extent e = {.batch = tr->micro.batch < 64 ? tr->micro.batch : 64,
                           .visible = tr->model->geometry.patches};
    size_t bytes;

    if (tr->check)
        return MASKDM_OK;
    for (; e.batch >= 1; e.batch /= 2) {
        MDM_TRY(mdm_program_estimate(&bytes, &tr->model->layout, tr->device, tr->model->network, tr->model->options,
                                     e, MDM_PROGRAM_PREDICT));
        if (bytes <= host->graph.arena_bytes)
            return mdm_program_create_in(&tr->check, host, e, MDM_PROGRAM_PREDICT);
    }
    e.batch = 1;
    return mdm_program_create(&tr->check, tr->model, e, MDM_PROGRAM_PREDICT);
}

/* Which of n equal parts of the levels image i gets. */
static int64_t part_of(const struct check *c, int64_t i)
{
    return (int64_t)mdm_rng_permute(c->tr->run_seed, MDM_DRAW_TIME, (uint64_t)validation_step, (uint64_t)i,
                                    (uint64_t)c->count);
}

/* Image i into place b, its values from 0 .. 1 to -1 .. 1. */
static int fetch(struct check *c, int64_t i, int64_t b)
{
    maskdm_trainer *tr = c->tr;
    struct mdm_microbatch *m = &tr->micro;
    float *image = m->staged + b * tr->values;
    const double share = ((double)part_of(c, i) + 0.5) / (double)c->count;

    MDM_TRY(mdm_data_get(c->data, i, image, &m->labels[b]));
    for (int64_t k = 0; k < tr->values; k++)
        image[k] = image[k] * 2 - 1;
    if (m->labels[b] >= tr->model->geometry.classes)
        m->labels[b] = -1;
    m->times[b] =
        mdm_process_time_of(tr->model->scheduler->process,
                            log(MDM_HELD_OUT_LEAST) + share * log(MDM_HELD_OUT_MOST / MDM_HELD_OUT_LEAST));
    return MASKDM_OK;
}

static int compute(struct check *c, int64_t first)
{
    maskdm_trainer *tr = c->tr;
    struct mdm_microbatch *m = &tr->micro;
    const int64_t n = tr->check->extent.batch;

    MDM_TRY(mdm_microbatch_enter(m, m->staged, n));
    MDM_TRY(mdm_microbatch_draw_noise(m, tr->run_seed, first, validation_step, n));
    MDM_TRY(mdm_microbatch_noise(m, tr->model->scheduler, n));
    for (int64_t b = 0; b < n; b++)
        m->weight[b] = m->denoised[b] * m->denoised[b];
    MDM_TRY(mdm_program_set(tr->check, m->input, m->network_times, m->labels, NULL));
    MDM_TRY(mdm_program_forward(tr->check, c->weights, mdm_control_cancel_flag(tr->control)));
    return mdm_microbatch_error(m, tr->check);
}

/* Losses of images first, first + 1, ...; those past the end repeat the last one and do not count. */
static int pass(struct check *c, int64_t first)
{
    maskdm_trainer *tr = c->tr;
    int status;

    for (int64_t b = 0; b < tr->check->extent.batch; b++)
        MDM_TRY(fetch(c, first + b < c->count ? first + b : c->count - 1, b));
    MDM_TRY(mdm_device_enter(tr->device));
    status = compute(c, first);
    mdm_device_leave(tr->device);
    return status == MASKDM_ECANCELED ? mdm_control_canceled(tr->control, "validation") : status;
}

static int run(struct check *c, double *loss)
{
    const int64_t batch = c->tr->check->extent.batch;
    double sum = 0;

    for (int64_t first = 0; first < c->count; first += batch) {
        MDM_TRY(pass(c, first));
        for (int64_t b = 0; b < batch && first + b < c->count; b++) {
            const int64_t k = (2 * part_of(c, first + b) + 1) * c->buckets / (2 * c->count);

            sum += c->tr->micro.losses[b];
            if (c->buckets) {
                c->bucket[k] += c->tr->micro.losses[b];
                c->seen[k]++;
            }
        }
    }
    *loss = sum / (double)c->count;
    return MASKDM_OK;
}

int mdm_trainer_validate(maskdm_trainer *tr, maskdm_data *data, int64_t count, enum maskdm_weights which,
                         double *loss, double *bucket, int64_t buckets)
{
    const struct mdm_geometry *g = &tr->model->geometry;
    struct check c = {.tr = tr,
                      .data = data,
                      .count = count > 0 && count < data->count ? count : data->count,
                      .weights = mdm_model_block(tr->model, which),
                      .bucket = bucket,
                      .buckets = bucket ? buckets : 0};
    int status;

    if (data->height != g->height || data->width != g->width || data->channels != g->channels)
        return mdm_fail(MASKDM_ESHAPE, "the held-out data are %lld x %lld x %d, the model needs %lld x %lld x %lld",
                        (long long)data->height, (long long)data->width, data->channels, (long long)g->height,
                        (long long)g->width, (long long)g->channels);
    if (bucket && (buckets < 1 || buckets > 1024))
        return mdm_fail(MASKDM_EINVAL, "%lld buckets are outside 1 .. 1024", (long long)buckets);
    MDM_TRY(make_program(tr));
    tr->stage = MDM_STAGE_EMPTY;
    if (c.buckets && !(c.seen = mdm_need((size_t)buckets, sizeof *c.seen, "bucket counts")))
        return MASKDM_ENOMEM;
    for (int64_t k = 0; k < c.buckets; k++)
        bucket[k] = 0;
    status = run(&c, loss);
    for (int64_t k = 0; k < c.buckets && status == MASKDM_OK; k++)
        bucket[k] = c.seen[k] ? bucket[k] / (double)c.seen[k] : (double)NAN;
    mdm_free(c.seen);
    return status;
}
