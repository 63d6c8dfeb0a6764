/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Public face of training: the parts of a loop of one's own.
 */
#include "train/trainer.h"
#include "train/tune.h"

#include "api/argument.h"
#include "data/data.h"

#include <math.h>

enum { MAY_DIFFER_MOST = 32 }; /* more than there are options of optimizers and averages */

int maskdm_trainer_create(maskdm_trainer **out, maskdm_model *model, maskdm_mask *mask, maskdm_optimizer *optimizer,
                          const maskdm_options *options, maskdm_control *control)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(model);
    MDM_NEED(optimizer);
    MDM_TRY(mdm_work_share(&work, &model->handle));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(mask)));
    MDM_TRY(mdm_work_alone(&work, &optimizer->handle));
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(control)));
    return mdm_work_end(&work, mdm_trainer_create(out, model, mask, optimizer, options, control));
}

int maskdm_trainer_tune(maskdm_trainer *trainer, const maskdm_options *options)
{
    struct mdm_work work = {0};

    MDM_NEED(trainer);
    MDM_TRY(mdm_work_alone(&work, &trainer->handle));
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    return mdm_work_end(&work, mdm_tune_begin(trainer, options));
}

void maskdm_trainer_release(maskdm_trainer **trainer)
{
    if (trainer)
        mdm_trainer_drop(trainer);
}

/* What a call works on: the trainer with the optimizer that is bound to it, and data where there are some. */
static int begin(struct mdm_work *work, const maskdm_trainer *trainer, const maskdm_data *data)
{
    MDM_TRY(mdm_work_alone(work, &trainer->handle));
    MDM_TRY(mdm_work_alone(work, &trainer->optimizer->handle));
    if (trainer->retain.data != data)
        MDM_TRY(mdm_work_alone(work, MDM_HANDLE(trainer->retain.data)));
    MDM_TRY(mdm_work_alone(work, MDM_HANDLE(trainer->ranks.comm)));
    return mdm_work_alone(work, MDM_HANDLE(data));
}

static int step(maskdm_trainer *trainer, maskdm_data *data)
{
    struct maskdm_progress progress;

    MDM_TRY(mdm_trainer_step(trainer, data));
    progress = mdm_trainer_progress(trainer);
    mdm_control_report(trainer->control, &progress);
    return MASKDM_OK;
}

int maskdm_trainer_step(maskdm_trainer *trainer, maskdm_data *data)
{
    struct mdm_work work = {0};

    MDM_NEED(trainer);
    MDM_NEED(data);
    MDM_TRY(begin(&work, trainer, data));
    return mdm_work_end(&work, step(trainer, data));
}

int64_t maskdm_trainer_steps(const maskdm_trainer *trainer)
{
    MDM_NEED(trainer);
    return trainer->optimizer->steps;
}

int64_t maskdm_trainer_skipped(const maskdm_trainer *trainer)
{
    MDM_NEED(trainer);
    return trainer->skipped;
}

int64_t maskdm_trainer_batch(const maskdm_trainer *trainer)
{
    MDM_NEED(trainer);
    return mdm_pace_rows(&trainer->pace, mdm_pace_at(&trainer->pace, trainer->optimizer->steps));
}

int64_t maskdm_trainer_visible(const maskdm_trainer *trainer)
{
    MDM_NEED(trainer);
    return mdm_pace_at(&trainer->pace, trainer->optimizer->steps)->visible;
}

double maskdm_trainer_last_loss(const maskdm_trainer *trainer)
{
    MDM_NEED_OR(trainer, (double)NAN);
    return trainer->last_loss;
}

int maskdm_trainer_draw(maskdm_trainer *trainer, maskdm_data *data, int64_t part)
{
    struct mdm_work work = {0};

    MDM_NEED(trainer);
    MDM_NEED(data);
    MDM_TRY(begin(&work, trainer, data));
    return mdm_work_end(&work, mdm_trainer_draw(trainer, data, part));
}

int maskdm_trainer_set_batch(maskdm_trainer *trainer, const float *images, const int32_t *labels, const double *times,
                             const float *noise, const int32_t *index)
{
    struct mdm_work work = {0};

    MDM_NEED(trainer);
    MDM_NEED(images);
    MDM_NEED(times);
    MDM_NEED(noise);
    MDM_TRY(begin(&work, trainer, NULL));
    return mdm_work_end(&work, mdm_trainer_set_batch(trainer, images, labels, times, noise, index));
}

const float *maskdm_trainer_view(const maskdm_trainer *trainer, const char *name, int64_t *count)
{
    int64_t unused;

    MDM_NEED_OR(trainer, NULL);
    MDM_NEED_OR(name, NULL);
    return mdm_trainer_view(trainer, name, count ? count : &unused);
}

const double *maskdm_trainer_times(const maskdm_trainer *trainer)
{
    MDM_NEED_OR(trainer, NULL);
    return trainer->micro.times;
}

const double *maskdm_trainer_weights(const maskdm_trainer *trainer)
{
    MDM_NEED_OR(trainer, NULL);
    return trainer->micro.weight;
}

const int32_t *maskdm_trainer_labels(const maskdm_trainer *trainer)
{
    MDM_NEED_OR(trainer, NULL);
    return trainer->micro.labels;
}

const int32_t *maskdm_trainer_index(const maskdm_trainer *trainer)
{
    MDM_NEED_OR(trainer, NULL);
    return trainer->micro.index;
}

int maskdm_trainer_forward(maskdm_trainer *trainer)
{
    struct mdm_work work = {0};

    MDM_NEED(trainer);
    MDM_TRY(begin(&work, trainer, NULL));
    return mdm_work_end(&work, mdm_trainer_forward(trainer));
}

int maskdm_trainer_want_input_gradient(maskdm_trainer *trainer)
{
    struct mdm_work work = {0};

    MDM_NEED(trainer);
    MDM_TRY(begin(&work, trainer, NULL));
    return mdm_work_end(&work, mdm_trainer_want_input_gradient(trainer));
}

int maskdm_trainer_loss(maskdm_trainer *trainer, double *loss)
{
    struct mdm_work work = {0};
    double unused;

    MDM_NEED(trainer);
    MDM_TRY(begin(&work, trainer, NULL));
    return mdm_work_end(&work, mdm_trainer_loss(trainer, loss ? loss : &unused));
}

int maskdm_trainer_backward(maskdm_trainer *trainer, const float *dprediction)
{
    struct mdm_work work = {0};

    MDM_NEED(trainer);
    MDM_TRY(begin(&work, trainer, NULL));
    return mdm_work_end(&work, mdm_trainer_backward(trainer, dprediction));
}

int maskdm_trainer_gradient(const maskdm_trainer *trainer, int64_t i, float *out, int64_t count)
{
    struct mdm_work work = {0};
    const struct mdm_param *p;

    MDM_NEED(trainer);
    MDM_NEED(out);
    MDM_TRY(mdm_argument_elements(&p, &trainer->model->layout, i, count));
    MDM_TRY(begin(&work, trainer, NULL));
    return mdm_work_end(&work, mdm_device_download(trainer->device, out, trainer->gradients + p->at,
                                                   (size_t)count * sizeof *out));
}

int maskdm_trainer_set_gradient(maskdm_trainer *trainer, int64_t i, const float *value, int64_t count)
{
    struct mdm_work work = {0};
    const struct mdm_param *p;

    MDM_NEED(trainer);
    MDM_NEED(value);
    MDM_TRY(mdm_argument_elements(&p, &trainer->model->layout, i, count));
    MDM_TRY(begin(&work, trainer, NULL));
    return mdm_work_end(&work, mdm_device_upload(trainer->device, trainer->gradients + p->at, value,
                                                 (size_t)count * sizeof *value));
}

int maskdm_trainer_zero_gradients(maskdm_trainer *trainer)
{
    struct mdm_work work = {0};

    MDM_NEED(trainer);
    MDM_TRY(begin(&work, trainer, NULL));
    return mdm_work_end(&work, mdm_trainer_zero_gradients(trainer));
}

int maskdm_trainer_model(maskdm_model **out, maskdm_trainer *trainer)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(trainer);
    MDM_TRY(begin(&work, trainer, NULL));
    return mdm_work_end(&work, mdm_model_copy(out, trainer->model));
}

int maskdm_trainer_save(maskdm_trainer *trainer, const char *path)
{
    struct mdm_work work = {0};

    MDM_NEED(trainer);
    MDM_NEED(path);
    MDM_TRY(begin(&work, trainer, NULL));
    return mdm_work_end(&work, mdm_trainer_save(trainer, path));
}

int maskdm_trainer_load(maskdm_trainer *trainer, const char *path)
{
    struct mdm_work work = {0};

    MDM_NEED(trainer);
    MDM_NEED(path);
    MDM_TRY(begin(&work, trainer, NULL));
    return mdm_work_end(&work, mdm_trainer_load(trainer, path, NULL));
}

int maskdm_trainer_load_under(maskdm_trainer *trainer, const char *path, const char *const *may_differ, int64_t count)
{
    struct mdm_work work = {0};
    const char *name[MAY_DIFFER_MOST + 1] = {0};

    MDM_NEED(trainer);
    MDM_NEED(path);
    MDM_NEED_COUNT(count);
    MDM_NEED_ARRAY(may_differ, count);
    if (count > MAY_DIFFER_MOST)
        return mdm_fail(MASKDM_EINVAL, "%lld options that may differ: at most %d", (long long)count, MAY_DIFFER_MOST);
    for (int64_t i = 0; i < count; i++) {
        if (!may_differ[i])
            return mdm_fail(MASKDM_EINVAL, "the name of option %lld that may differ is NULL", (long long)i);
        name[i] = may_differ[i];
    }
    MDM_TRY(begin(&work, trainer, NULL));
    return mdm_work_end(&work, mdm_trainer_load(trainer, path, name));
}

int maskdm_trainer_validate(maskdm_trainer *trainer, maskdm_data *data, int64_t count, int which,
                            double *loss, double *bucket, int64_t buckets)
{
    struct mdm_work work = {0};

    MDM_NEED(trainer);
    MDM_NEED(data);
    MDM_NEED_COUNT(count);
    MDM_NEED_WEIGHTS(which);
    MDM_NEED(loss);
    MDM_TRY(begin(&work, trainer, data));
    return mdm_work_end(&work, mdm_trainer_validate(trainer, data, count, which, loss, bucket, buckets));
}
