/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a host may see of the micro-batch: copies of device memory, made when they are asked for into a buffer that
 * each name has and keeps.
 */
#include "train/trainer.h"

#include "base/alloc.h"
#include "base/error.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *name;
    size_t at; /* of the device's buffer in the trainer */
} images[MDM_VIEW_PREDICTION] = {[MDM_VIEW_INPUT] = {"input", offsetof(struct maskdm_trainer, micro.input)},
                                 [MDM_VIEW_TARGET] = {"target", offsetof(struct maskdm_trainer, micro.target)},
                                 [MDM_VIEW_NOISE] = {"noise", offsetof(struct maskdm_trainer, micro.noise)},
                                 [MDM_VIEW_IMAGES] = {"images", offsetof(struct maskdm_trainer, micro.images)}};

/* The buffer of a view, which two threads may want first at once. */
static float *get_buffer(const maskdm_trainer *tr, int view, size_t bytes)
{
    float *there = atomic_load(&tr->view[view]), *made;

    if (there)
        return there;
    made = mdm_need_aligned(bytes, "a view of a trainer");
    if (!made || atomic_compare_exchange_strong(&tr->view[view], &there, made))
        return made;
    mdm_free(made);
    return there;
}

/* A copy that fails is NULL, and the line says why. */
static const float *copy(const maskdm_trainer *tr, int view, const float *memory, int64_t values)
{
    const size_t bytes = (size_t)(tr->batch * values) * sizeof *memory;
    float *buffer = get_buffer(tr, view, bytes);

    return buffer && mdm_device_download(tr->device, buffer, memory, bytes) == MASKDM_OK ? buffer : NULL;
}

const float *mdm_trainer_view(const maskdm_trainer *tr, const char *name)
{
    for (int i = 0; i < MDM_VIEW_PREDICTION; i++)
        if (strcmp(images[i].name, name) == 0)
            return copy(tr, i, *(float *const *)((const char *)tr + images[i].at), tr->values);
    return NULL;
}

const float *mdm_trainer_prediction(const maskdm_trainer *tr)
{
    return copy(tr, MDM_VIEW_PREDICTION, mdm_program_output(tr->program), tr->program->output_values);
}
