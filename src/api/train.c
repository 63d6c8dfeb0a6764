/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Public face of training: the parts of a loop of one's own.
 */
#include "train/trainer.h"

#include "api/argument.h"
#include "data/data.h"

#include <math.h>
#include <string.h>

int maskdm_trainer_create(maskdm_trainer **out, maskdm_model *model, maskdm_mask *mask, maskdm_optimizer *optimizer,
                          const maskdm_options *options, maskdm_control *control)
{
    struct maskdm_work work = {0};

    MASKDM_NEED_OUT(out);
    MASKDM_NEED(model);
    MASKDM_NEED(optimizer);
    MASKDM_TRY(maskdm_work_share(&work, &model->handle));
    MASKDM_TRY(maskdm_work_share(&work, MASKDM_HANDLE(mask)));
    MASKDM_TRY(maskdm_work_alone(&work, &optimizer->handle));
    MASKDM_TRY(maskdm_work_share(&work, maskdm_optionset_handle(options)));
    MASKDM_TRY(maskdm_work_share(&work, MASKDM_HANDLE(control)));
    return maskdm_work_end(&work, maskdm_training_create(out, model, mask, optimizer, options, control));
}

void maskdm_trainer_release(maskdm_trainer **trainer)
{
    if (trainer)
        maskdm_training_drop(trainer);
}

/* What a call works on: the trainer with the optimizer that is bound to it, and data where there are some. */
static int begin(struct maskdm_work *work, const maskdm_trainer *trainer, const maskdm_data *data)
{
    MASKDM_TRY(maskdm_work_alone(work, &trainer->handle));
    MASKDM_TRY(maskdm_work_alone(work, &trainer->optimizer->handle));
    return maskdm_work_alone(work, MASKDM_HANDLE(data));
}

static int step(maskdm_trainer *trainer, maskdm_data *data)
{
    struct maskdm_progress progress;

    MASKDM_TRY(maskdm_training_step(trainer, data));
    progress = maskdm_training_progress(trainer);
    maskdm_control_report(trainer->control, &progress);
    return MASKDM_OK;
}

int maskdm_trainer_step(maskdm_trainer *trainer, maskdm_data *data)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(trainer);
    MASKDM_NEED(data);
    MASKDM_TRY(begin(&work, trainer, data));
    return maskdm_work_end(&work, step(trainer, data));
}

int64_t maskdm_trainer_steps(const maskdm_trainer *trainer)
{
    MASKDM_NEED_OR(trainer, 0);
    return trainer->optimizer->steps;
}

int64_t maskdm_trainer_skipped(const maskdm_trainer *trainer)
{
    MASKDM_NEED_OR(trainer, 0);
    return trainer->skipped;
}

int64_t maskdm_trainer_batch(const maskdm_trainer *trainer)
{
    MASKDM_NEED_OR(trainer, 0);
    return trainer->batch;
}

int64_t maskdm_trainer_visible(const maskdm_trainer *trainer)
{
    MASKDM_NEED_OR(trainer, 0);
    return trainer->visible;
}

double maskdm_trainer_last_loss(const maskdm_trainer *trainer)
{
    MASKDM_NEED_OR(trainer, (double)NAN);
    return trainer->last_loss;
}

int maskdm_trainer_draw(maskdm_trainer *trainer, maskdm_data *data, int64_t part)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(trainer);
    MASKDM_NEED(data);
    MASKDM_TRY(begin(&work, trainer, data));
    return maskdm_work_end(&work, maskdm_training_draw(trainer, data, part));
}

int maskdm_trainer_set_batch(maskdm_trainer *trainer, const float *images, const int32_t *labels, const double *times,
                             const float *noise, const int32_t *index)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(trainer);
    MASKDM_NEED(images);
    MASKDM_NEED(times);
    MASKDM_NEED(noise);
    MASKDM_TRY(begin(&work, trainer, NULL));
    return maskdm_work_end(&work, maskdm_training_set_batch(trainer, images, labels, times, noise, index));
}

const float *maskdm_trainer_view(const maskdm_trainer *trainer, const char *name)
{
    MASKDM_NEED_OR(trainer, NULL);
    MASKDM_NEED_OR(name, NULL);
    if (strcmp(name, "x_t") == 0)
        return trainer->x_t;
    if (strcmp(name, "target") == 0)
        return trainer->target;
    if (strcmp(name, "noise") == 0)
        return trainer->noise;
    if (strcmp(name, "images") == 0)
        return trainer->images;
    return NULL;
}

const int32_t *maskdm_trainer_index(const maskdm_trainer *trainer)
{
    MASKDM_NEED_OR(trainer, NULL);
    return trainer->index;
}

int maskdm_trainer_forward(maskdm_trainer *trainer)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(trainer);
    MASKDM_TRY(begin(&work, trainer, NULL));
    return maskdm_work_end(&work, maskdm_training_forward(trainer));
}

const float *maskdm_trainer_prediction(const maskdm_trainer *trainer)
{
    MASKDM_NEED_OR(trainer, NULL);
    return maskdm_program_output(trainer->program);
}

int maskdm_trainer_loss(maskdm_trainer *trainer, double *loss)
{
    struct maskdm_work work = {0};
    double unused;

    MASKDM_NEED(trainer);
    MASKDM_TRY(begin(&work, trainer, NULL));
    return maskdm_work_end(&work, maskdm_training_loss(trainer, loss ? loss : &unused));
}

int maskdm_trainer_backward(maskdm_trainer *trainer, const float *dprediction)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(trainer);
    MASKDM_TRY(begin(&work, trainer, NULL));
    return maskdm_work_end(&work, maskdm_training_backward(trainer, dprediction));
}

int maskdm_trainer_gradient(const maskdm_trainer *trainer, int64_t i, float *out, int64_t count)
{
    struct maskdm_work work = {0};
    const struct maskdm_param *p;

    MASKDM_NEED(trainer);
    MASKDM_NEED(out);
    MASKDM_TRY(maskdm_argument_elements(&p, &trainer->model->layout, i, count));
    MASKDM_TRY(begin(&work, trainer, NULL));
    memcpy(out, trainer->gradients + p->at, (size_t)count * sizeof *out);
    return maskdm_work_end(&work, MASKDM_OK);
}

int maskdm_trainer_zero_gradients(maskdm_trainer *trainer)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(trainer);
    MASKDM_TRY(begin(&work, trainer, NULL));
    return maskdm_work_end(&work, maskdm_training_zero_gradients(trainer));
}

int maskdm_trainer_model(maskdm_trainer *trainer, maskdm_model **out)
{
    struct maskdm_work work = {0};

    MASKDM_NEED_OUT(out);
    MASKDM_NEED(trainer);
    MASKDM_TRY(begin(&work, trainer, NULL));
    return maskdm_work_end(&work, maskdm_weights_copy(out, trainer->model));
}

int maskdm_trainer_save(maskdm_trainer *trainer, const char *path)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(trainer);
    MASKDM_NEED(path);
    MASKDM_TRY(begin(&work, trainer, NULL));
    return maskdm_work_end(&work, maskdm_training_save(trainer, path));
}

int maskdm_trainer_load(maskdm_trainer *trainer, const char *path)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(trainer);
    MASKDM_NEED(path);
    MASKDM_TRY(begin(&work, trainer, NULL));
    return maskdm_work_end(&work, maskdm_training_load(trainer, path));
}

int maskdm_trainer_validate(maskdm_trainer *trainer, maskdm_data *data, int64_t count, enum maskdm_weights which,
                            double *loss, double *bucket, int64_t buckets)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(trainer);
    MASKDM_NEED(data);
    MASKDM_NEED_WEIGHTS(which);
    MASKDM_NEED(loss);
    MASKDM_TRY(begin(&work, trainer, data));
    return maskdm_work_end(&work, maskdm_training_validate(trainer, data, count, which, loss, bucket, buckets));
}
