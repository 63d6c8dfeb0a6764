/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Public face of training: the parts of a loop of one's own.
 */
#include "train/trainer.h"

#include "util/error.h"

#include <math.h>
#include <string.h>

static int missing(const char *what)
{
    return maskdm_fail(MASKDM_EINVAL, "%s is NULL", what);
}

int maskdm_trainer_create(maskdm_trainer **out, maskdm_model *model, maskdm_mask *mask, maskdm_optimizer *optimizer,
                          const maskdm_options *options, maskdm_control *control)
{
    if (!out)
        return missing("out");
    *out = NULL;
    if (!model || !optimizer)
        return missing(model ? "optimizer" : "model");
    return maskdm_training_create(out, model, mask, optimizer, options, control);
}

void maskdm_trainer_release(maskdm_trainer **trainer)
{
    if (trainer)
        maskdm_training_drop(trainer);
}

int maskdm_trainer_step(maskdm_trainer *trainer, maskdm_data *data)
{
    struct maskdm_progress progress;

    if (!trainer || !data)
        return missing(trainer ? "data" : "trainer");
    MASKDM_TRY(maskdm_training_step(trainer, data));
    progress = maskdm_training_progress(trainer);
    maskdm_control_report(trainer->control, &progress);
    return MASKDM_OK;
}

int64_t maskdm_trainer_steps(const maskdm_trainer *trainer)
{
    return trainer ? trainer->optimizer->steps : 0;
}

int64_t maskdm_trainer_skipped(const maskdm_trainer *trainer)
{
    return trainer ? trainer->skipped : 0;
}

int64_t maskdm_trainer_batch(const maskdm_trainer *trainer)
{
    return trainer ? trainer->batch : 0;
}

int64_t maskdm_trainer_visible(const maskdm_trainer *trainer)
{
    return trainer ? trainer->visible : 0;
}

double maskdm_trainer_last_loss(const maskdm_trainer *trainer)
{
    return trainer ? trainer->last_loss : (double)NAN;
}

int maskdm_trainer_draw(maskdm_trainer *trainer, maskdm_data *data, int64_t part)
{
    if (!trainer || !data)
        return missing(trainer ? "data" : "trainer");
    return maskdm_training_draw(trainer, data, part);
}

int maskdm_trainer_set_batch(maskdm_trainer *trainer, const float *images, const int32_t *labels, const double *times,
                             const float *noise, const int32_t *index)
{
    if (!trainer || !images || !times || !noise)
        return missing(!trainer ? "trainer" : !images ? "images" : !times ? "times" : "noise");
    return maskdm_training_set_batch(trainer, images, labels, times, noise, index);
}

const float *maskdm_trainer_view(const maskdm_trainer *trainer, const char *name)
{
    if (!trainer || !name)
        return NULL;
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
    return trainer ? trainer->index : NULL;
}

int maskdm_trainer_forward(maskdm_trainer *trainer)
{
    return trainer ? maskdm_training_forward(trainer) : missing("trainer");
}

const float *maskdm_trainer_prediction(const maskdm_trainer *trainer)
{
    return trainer ? maskdm_program_output(trainer->program) : NULL;
}

int maskdm_trainer_loss(maskdm_trainer *trainer, double *loss)
{
    double unused;

    return trainer ? maskdm_training_loss(trainer, loss ? loss : &unused) : missing("trainer");
}

int maskdm_trainer_backward(maskdm_trainer *trainer, const float *dprediction)
{
    return trainer ? maskdm_training_backward(trainer, dprediction) : missing("trainer");
}

int maskdm_trainer_gradient(const maskdm_trainer *trainer, int64_t i, float *out, int64_t count)
{
    const struct maskdm_param *p;

    if (!trainer || !out)
        return missing(trainer ? "out" : "trainer");
    if (i < 0 || i >= trainer->model->layout.count)
        return maskdm_fail(MASKDM_EINVAL, "parameter %lld is outside 0 .. %d", (long long)i,
                           trainer->model->layout.count - 1);
    p = &trainer->model->layout.list[i];
    if (count != maskdm_shape_numel(&p->shape))
        return maskdm_fail(MASKDM_ESHAPE, "parameter \"%s\" has %lld elements, not %lld", p->name,
                           (long long)maskdm_shape_numel(&p->shape), (long long)count);
    memcpy(out, trainer->gradients + p->at, (size_t)count * sizeof *out);
    return MASKDM_OK;
}

int maskdm_trainer_zero_gradients(maskdm_trainer *trainer)
{
    return trainer ? maskdm_training_zero_gradients(trainer) : missing("trainer");
}

int maskdm_trainer_model(maskdm_trainer *trainer, maskdm_model **out)
{
    if (!out)
        return missing("out");
    *out = NULL;
    return trainer ? maskdm_weights_copy(out, trainer->model) : missing("trainer");
}

int maskdm_trainer_save(maskdm_trainer *trainer, const char *path)
{
    if (!trainer || !path)
        return missing(trainer ? "path" : "trainer");
    return maskdm_training_save(trainer, path);
}

int maskdm_trainer_load(maskdm_trainer *trainer, const char *path)
{
    if (!trainer || !path)
        return missing(trainer ? "path" : "trainer");
    return maskdm_training_load(trainer, path);
}

int maskdm_trainer_validate(maskdm_trainer *trainer, maskdm_data *data, int64_t count, enum maskdm_weights which,
                            double *loss, double *bucket, int64_t buckets)
{
    if (!trainer || !data || !loss)
        return missing(!trainer ? "trainer" : !data ? "data" : "loss");
    return maskdm_training_validate(trainer, data, count, which, loss, bucket, buckets);
}
