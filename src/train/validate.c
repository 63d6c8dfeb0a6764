/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Held-out loss: whole images, times and noise fixed by the seed, so that the numbers of one run compare. Times are
 * stratified: image i of n gets floor((i' + 1/2) T / n), i' a fixed permutation.
 */
#include "train/trainer.h"

#include "base/alloc.h"
#include "base/error.h"
#include "data/data.h"
#include "diffusion/scheduler.h"

#include <math.h>
#include <string.h>

/* A step that no run reaches, so that validation never shares a stream with training. */
static const int64_t validation_step = (int64_t)1 << 40;

struct check {
    maskdm_trainer *tr;
    maskdm_data *data;
    const float *weights;
    int64_t count, batch; /* images; of one pass */
    float *images, *noise, *x_t, *target;
    double *times, *factors, *losses;
    int32_t *labels;
};

/* Whole images fit the training arena, a few at a time; where not even one does, the program takes its own. */
static int make_program(maskdm_trainer *tr)
{
    const struct mdm_program *host = tr->program;
    struct mdm_extent e = {.batch = tr->batch < 64 ? tr->batch : 64, .visible = tr->model->geometry.patches};
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

static int take(struct check *c)
{
    size_t b = (size_t)c->batch, n = b * (size_t)c->tr->values;

    c->images = mdm_need_aligned(n * sizeof(float), "held-out images");
    c->noise = mdm_need_aligned(n * sizeof(float), "held-out noise");
    c->x_t = mdm_need_aligned(n * sizeof(float), "held-out noised images");
    c->target = mdm_need_aligned(n * sizeof(float), "held-out targets");
    c->times = mdm_need(b, sizeof(double), "times");
    c->factors = mdm_need(4 * b, sizeof(double), "noising factors");
    c->losses = mdm_need(b, sizeof(double), "losses");
    c->labels = mdm_need(b, sizeof(int32_t), "labels");
    return c->images && c->noise && c->x_t && c->target && c->times && c->factors && c->losses && c->labels
               ? MASKDM_OK
               : MASKDM_ENOMEM;
}

static void give(struct check *c)
{
    mdm_free(c->images);
    mdm_free(c->noise);
    mdm_free(c->x_t);
    mdm_free(c->target);
    mdm_free(c->times);
    mdm_free(c->factors);
    mdm_free(c->losses);
    mdm_free(c->labels);
}

/* Image i into place b, its values from 0 .. 1 to -1 .. 1. */
static int fetch(struct check *c, int64_t i, int64_t b)
{
    maskdm_trainer *tr = c->tr;
    int64_t timesteps = tr->model->scheduler->schedule.timesteps;
    float *image = c->images + b * tr->values;
    uint64_t place =
        mdm_rng_permute(tr->seed, MDM_DRAW_TIME, (uint64_t)validation_step, (uint64_t)i, (uint64_t)c->count);

    MDM_TRY(mdm_data_get(c->data, i, image, &c->labels[b]));
    for (int64_t k = 0; k < tr->values; k++)
        image[k] = image[k] * 2 - 1;
    if (c->labels[b] >= tr->model->geometry.classes)
        c->labels[b] = -1;
    c->times[b] = floor(((double)place + 0.5) * (double)timesteps / (double)c->count);
    return MASKDM_OK;
}

/* Losses of images first .. first + batch - 1; those past the end repeat the last one and do not count. */
static int pass(struct check *c, int64_t first)
{
    maskdm_trainer *tr = c->tr;
    const struct mdm_geometry *g = &tr->model->geometry;
    struct mdm_backend *back = mdm_device_backend(tr->device);
    int64_t n = c->batch;
    double *f = c->factors;
    struct mdm_noising noising = {n,     tr->values, c->images, c->noise, f,
                                  f + n, f + 2 * n,  f + 3 * n, c->x_t,   c->target};
    struct mdm_loss loss = {.batch = n,
                            .height = g->height,
                            .width = g->width,
                            .channels = g->channels,
                            .patch = g->patch,
                            .visible = g->patches,
                            .l1 = tr->l1,
                            .pred = mdm_program_output(tr->check),
                            .target = c->target,
                            .index = tr->check->every,
                            .scale = 1,
                            .loss = c->losses};
    int status;

    for (int64_t b = 0; b < n; b++)
        MDM_TRY(fetch(c, first + b < c->count ? first + b : c->count - 1, b));
    mdm_scheduler_draw_noise(tr->seed, first, validation_step, n, tr->values, c->noise);
    MDM_TRY(mdm_scheduler_factors(tr->model->scheduler, n, c->times, f, f + n, f + 2 * n, f + 3 * n));
    MDM_TRY(mdm_device_enter(tr->device));
    status = back->v->noising(back, &noising);
    if (status == MASKDM_OK)
        status = mdm_program_set(tr->check, c->x_t, c->times, c->labels, NULL);
    if (status == MASKDM_OK)
        status = mdm_program_forward(tr->check, c->weights, mdm_control_cancel_flag(tr->control));
    if (status == MASKDM_OK)
        status = back->v->loss(back, &loss);
    mdm_device_leave(tr->device);
    return status == MASKDM_ECANCELED ? mdm_control_canceled(tr->control, "validation") : status;
}

static int run(struct check *c, double *sum, double *bucket, int64_t *seen, int64_t buckets)
{
    int64_t timesteps = c->tr->model->scheduler->schedule.timesteps;

    for (int64_t first = 0; first < c->count; first += c->batch) {
        MDM_TRY(pass(c, first));
        for (int64_t b = 0; b < c->batch && first + b < c->count; b++) {
            int64_t k = (int64_t)c->times[b] * buckets / timesteps;

            *sum += c->losses[b];
            if (bucket) {
                bucket[k] += c->losses[b];
                seen[k]++;
            }
        }
    }
    return MASKDM_OK;
}

int mdm_trainer_validate(maskdm_trainer *tr, maskdm_data *data, int64_t count, enum maskdm_weights which,
                         double *loss, double *bucket, int64_t buckets)
{
    const struct mdm_geometry *g = &tr->model->geometry;
    struct check c = {.tr = tr,
                      .data = data,
                      .count = count > 0 && count < data->count ? count : data->count,
                      .weights = mdm_model_block(tr->model, which)};
    int64_t *seen = NULL;
    double sum = 0;
    int status;

    if (data->height != g->height || data->width != g->width || data->channels != g->channels)
        return mdm_fail(MASKDM_ESHAPE, "the held-out data are %lld x %lld x %d, the model needs %lld x %lld x %lld",
                        (long long)data->height, (long long)data->width, data->channels, (long long)g->height,
                        (long long)g->width, (long long)g->channels);
    if (!bucket)
        buckets = 0;
    else if (buckets < 1 || buckets > 1024)
        return mdm_fail(MASKDM_EINVAL, "%lld buckets are outside 1 .. 1024", (long long)buckets);
    MDM_TRY(make_program(tr));
    tr->stage = MDM_STAGE_EMPTY;
    c.batch = tr->check->extent.batch;
    for (int64_t k = 0; k < buckets; k++)
        bucket[k] = 0;
    status = take(&c);
    if (status == MASKDM_OK && bucket && !(seen = mdm_need((size_t)buckets, sizeof *seen, "bucket counts")))
        status = MASKDM_ENOMEM;
    if (status == MASKDM_OK)
        status = run(&c, &sum, bucket, seen, buckets);
    for (int64_t k = 0; k < buckets && status == MASKDM_OK; k++)
        bucket[k] = seen[k] ? bucket[k] / (double)seen[k] : (double)NAN;
    if (status == MASKDM_OK)
        *loss = sum / (double)c.count;
    give(&c);
    mdm_free(seen);
    return status;
}
