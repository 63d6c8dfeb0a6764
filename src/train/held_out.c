/* SPDX-License-Identifier: BSD-2-Clause
 *
 * As validate.c, without a trainer: forward only, of whole images. Each image is looked at twice, at a level of noise
 * that is stratified and the same for every process, and at a time of its own process.
 */
#include "train/held_out.h"

#include "base/alloc.h"
#include "base/error.h"

#include <math.h>

/* Steps that no run reaches: the trainer's validation has the first. */
static const int64_t level_step = (int64_t)1 << 40, time_step = ((int64_t)1 << 40) + 1;

enum { MOST_BATCH = 16 };

struct look {
    maskdm_model *model;
    const float *weights;
    maskdm_data *data;
    const struct mdm_held_out *told;
    struct mdm_program *program;
    struct mdm_microbatch micro;
    int64_t count, values, batch;
    double *bucket;
    int64_t *seen;
    double x0_sum, own_sum;
};

/* Which of the equal parts of the levels image i gets. */
static int64_t part_of(const struct look *k, int64_t i)
{
    return (int64_t)mdm_rng_permute(k->told->seed, MDM_DRAW_TIME, (uint64_t)level_step, (uint64_t)i,
                                    (uint64_t)k->count);
}

static double level_of(const struct look *k, int64_t i)
{
    const double share = ((double)part_of(k, i) + 0.5) / (double)k->count;

    return mdm_process_time_of(k->model->scheduler->process,
                               log(MDM_HELD_OUT_LEAST) + share * log(MDM_HELD_OUT_MOST / MDM_HELD_OUT_LEAST));
}

/* Image i into place b, its values from 0 .. 1 to -1 .. 1. */
static int fetch(struct look *k, int64_t i, int64_t b)
{
    struct mdm_microbatch *m = &k->micro;
    float *image = m->staged + b * k->values;

    MDM_TRY(mdm_data_get(k->data, i, image, &m->labels[b]));
    for (int64_t v = 0; v < k->values; v++)
        image[v] = image[v] * 2 - 1;
    if (m->labels[b] >= k->model->geometry.classes)
        m->labels[b] = -1;
    return MASKDM_OK;
}

/* Losses of the images at m->times, under noise of that step. */
static int predict(struct look *k, int64_t first, int64_t step, int of_x0)
{
    struct mdm_microbatch *m = &k->micro;

    MDM_TRY(mdm_microbatch_draw_noise(m, k->told->seed, first, step, k->batch));
    MDM_TRY(mdm_microbatch_noise(m, k->model->scheduler, k->batch));
    for (int64_t b = 0; b < k->batch && of_x0; b++)
        m->weight[b] = m->denoised[b] * m->denoised[b];
    MDM_TRY(mdm_program_set(k->program, m->input, m->network_times, m->labels, NULL));
    MDM_TRY(mdm_program_forward(k->program, k->weights, mdm_control_cancel_flag(k->told->control)));
    return of_x0 ? mdm_microbatch_error(m, k->program)
                 : mdm_microbatch_loss(m, k->program, NULL, k->told->loss, k->told->delta, 1, 0);
}

static void count_levels(struct look *k, int64_t first, int64_t n)
{
    const int64_t buckets = k->told->buckets;

    for (int64_t b = 0; b < n; b++) {
        const int64_t at = (2 * part_of(k, first + b) + 1) * buckets / (2 * k->count);

        k->x0_sum += k->micro.losses[b];
        if (buckets) {
            k->bucket[at] += k->micro.losses[b];
            k->seen[at]++;
        }
    }
}

/* Images first, first + 1, ...; those past the end repeat the last one and do not count. */
static int look_twice(struct look *k, int64_t first, int64_t n)
{
    struct mdm_microbatch *m = &k->micro;

    MDM_TRY(mdm_microbatch_enter(m, m->staged, k->batch));
    for (int64_t b = 0; b < k->batch; b++)
        m->times[b] = level_of(k, first + (b < n ? b : n - 1));
    MDM_TRY(predict(k, first, level_step, 1));
    count_levels(k, first, n);
    mdm_scheduler_draw_times(k->model->scheduler, k->told->seed, first, time_step, k->batch, m->times);
    MDM_TRY(predict(k, first, time_step, 0));
    for (int64_t b = 0; b < n; b++)
        k->own_sum += m->losses[b];
    return MASKDM_OK;
}

static int pass(struct look *k, int64_t first)
{
    const int64_t left = k->count - first, n = left < k->batch ? left : k->batch;
    struct maskdm_progress progress = mdm_progress_blank();
    int status;

    for (int64_t b = 0; b < k->batch; b++)
        MDM_TRY(fetch(k, first + (b < n ? b : n - 1), b));
    MDM_TRY(mdm_device_enter(k->model->device));
    status = look_twice(k, first, n);
    mdm_device_leave(k->model->device);
    if (status == MASKDM_ECANCELED)
        return mdm_control_canceled(k->told->control, "the evaluation");
    MDM_TRY(status);
    progress.step = first + n;
    progress.steps = k->count;
    progress.images = first + n;
    mdm_control_report(k->told->control, &progress);
    return mdm_control_check(k->told->control, "the evaluation");
}

static int run(struct look *k)
{
    const struct mdm_geometry *g = &k->model->geometry;
    const struct mdm_extent extent = {.batch = k->batch, .visible = g->patches};

    MDM_TRY(mdm_program_create(&k->program, k->model, extent, MDM_PROGRAM_PREDICT));
    MDM_TRY(mdm_microbatch_take(&k->micro, k->model->device, extent, g));
    if (k->told->buckets && !(k->seen = mdm_need((size_t)k->told->buckets, sizeof *k->seen, "bucket counts")))
        return MASKDM_ENOMEM;
    for (int64_t i = 0; i < k->told->buckets; i++)
        k->bucket[i] = 0;
    for (int64_t first = 0; first < k->count; first += k->batch)
        MDM_TRY(pass(k, first));
    for (int64_t i = 0; i < k->told->buckets; i++)
        k->bucket[i] = k->seen[i] ? k->bucket[i] / (double)k->seen[i] : (double)NAN;
    return MASKDM_OK;
}

int mdm_held_out(maskdm_model *model, enum maskdm_weights which, maskdm_data *data, const struct mdm_held_out *told,
                 double *x0_error, double *own_loss, double *bucket)
{
    const struct mdm_geometry *g = &model->geometry;
    const int64_t count = told->count > 0 && told->count < data->count ? told->count : data->count;
    struct look k = {.model = model,
                     .weights = mdm_model_block(model, which),
                     .data = data,
                     .told = told,
                     .count = count,
                     .values = g->height * g->width * g->channels,
                     .batch = count < MOST_BATCH ? count : MOST_BATCH,
                     .bucket = bucket};
    int status;

    if (data->height != g->height || data->width != g->width || data->channels != g->channels)
        return mdm_fail(MASKDM_ESHAPE, "the held-out data are %lld x %lld x %d, the model needs %lld x %lld x %lld",
                        (long long)data->height, (long long)data->width, data->channels, (long long)g->height,
                        (long long)g->width, (long long)g->channels);
    if (told->buckets < 0 || told->buckets > MDM_HELD_OUT_BUCKETS)
        return mdm_fail(MASKDM_EINVAL, "%lld buckets are outside 0 .. %d", (long long)told->buckets,
                        MDM_HELD_OUT_BUCKETS);
    status = run(&k);
    if (status >= 0) {
        *x0_error = k.x0_sum / (double)count;
        *own_loss = k.own_sum / (double)count;
    }
    mdm_microbatch_give(&k.micro);
    mdm_program_release(&k.program);
    mdm_free(k.seen);
    return status;
}
