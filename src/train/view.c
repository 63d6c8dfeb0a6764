/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a host may see of the micro-batch: copies of device memory, made when they are asked for into a buffer that
 * each name has and keeps. Images are whole; what the loss compares, target and prediction, is the visible patches in
 * their order, so that a loss of the host's is one loop over both.
 */
#include "train/trainer.h"

#include "base/alloc.h"
#include "base/error.h"
#include "train/tune.h"

#include <string.h>

/* The buffer of a view, which two threads may want first at once. room: values that it may ever have to hold. */
static float *get_buffer(const maskdm_trainer *tr, int view, int64_t room)
{
    float *there = atomic_load(&tr->view[view]), *made;

    if (there)
        return there;
    made = mdm_need_aligned((size_t)room * sizeof *made, "a view of a trainer");
    if (!made || atomic_compare_exchange_strong(&tr->view[view], &there, made))
        return made;
    mdm_free(made);
    return there;
}

/* Of a micro-batch: values that there are now, and most that there can be at another level. */
struct amount {
    int64_t values, room;
};

/* Values of an image's patches of a kind. */
static int64_t values_of(const struct mdm_part *part)
{
    return part->visible * part->of->patch * part->of->patch * part->of->channels;
}

/* Values of one row of a program's. */
static int64_t of_image(const maskdm_trainer *tr, const struct mdm_extent *e)
{
    (void)e;
    return tr->values;
}

static int64_t of_target(const maskdm_trainer *tr, const struct mdm_extent *e)
{
    const struct mdm_geometry *g = &tr->model->geometry;
    int64_t values = 0;

    for (int k = 0; k < g->kinds; k++) {
        const struct mdm_part part = mdm_geometry_part(g, e, k);

        values += values_of(&part);
    }
    return values;
}

static int64_t of_prediction(const maskdm_trainer *tr, const struct mdm_extent *e)
{
    return mdm_geometry_predicted(&tr->model->geometry, e);
}

static struct amount amount_of(const maskdm_trainer *tr,
                               int64_t (*of)(const maskdm_trainer *tr, const struct mdm_extent *e))
{
    struct amount a = {.values = tr->batch * of(tr, &tr->program->extent)};

    for (int i = 0; i < tr->pace.levels; i++) {
        const struct mdm_pace_level *l = &tr->pace.level[i];
        const struct mdm_extent e = {
            .batch = mdm_pace_rows(&tr->pace, l), .visible = l->visible, .second = l->second};
        const int64_t values = e.batch * of(tr, &e);

        a.room = values > a.room ? values : a.room;
    }
    return a;
}

/* A copy that fails is NULL, and the line says why. */
static const float *copy(const maskdm_trainer *tr, int view, const float *memory, struct amount a)
{
    float *buffer = get_buffer(tr, view, a.room);
    const size_t bytes = (size_t)a.values * sizeof *memory;

    return buffer && mdm_device_download(tr->device, buffer, memory, bytes) == MASKDM_OK ? buffer : NULL;
}

/* Of an image its patches of a kind, in a prediction's order but for the channels behind the image's. */
static void gather(const struct mdm_part *part, const int32_t *index, float *patches, const float *whole)
{
    const struct mdm_patches_of *of = part->of;
    const int64_t depth = part->beside.channels, row = part->width * depth;

    for (int64_t k = 0; k < part->visible; k++) {
        const int64_t patch = index[part->place + k] - part->beside.first;
        const float *from = whole + patch / of->columns * of->patch * row + patch % of->columns * of->patch * depth;

        for (int64_t i = 0; i < of->patch * of->patch; i++, patches += of->channels)
            memcpy(patches, from + i / of->patch * row + i % of->patch * depth + of->channel,
                   (size_t)of->channels * sizeof *patches);
    }
}

static const float *view_target(const maskdm_trainer *tr, struct amount a)
{
    const float *whole = tr->tune ? NULL : copy(tr, MDM_VIEW_WHOLE, tr->micro.target, amount_of(tr, of_image));
    float *patches = whole ? get_buffer(tr, MDM_VIEW_TARGET, a.room) : NULL, *at = patches;

    if (tr->tune)
        mdm_fail(MASKDM_EINVAL, "consistency tuning has no target but what the network says itself at less noise");
    for (int64_t b = 0; patches && b < tr->batch; b++)
        for (int k = 0; k < tr->model->geometry.kinds; k++) {
            const struct mdm_part part = mdm_geometry_part(&tr->model->geometry, &tr->program->extent, k);

            gather(&part, tr->micro.index + b * tr->visible, at, whole + b * tr->values);
            at += values_of(&part);
        }
    return patches;
}

static const float *view_input_gradient(const maskdm_trainer *tr, struct amount a)
{
    const float *gradient = mdm_program_input_gradient(tr->program);

    if (!gradient)
        mdm_fail(MASKDM_EINVAL, "the input's gradient was not asked for");
    return gradient ? copy(tr, MDM_VIEW_INPUT_GRADIENT, gradient, a) : NULL;
}

static const float *view_prediction(const maskdm_trainer *tr, struct amount a)
{
    return copy(tr, MDM_VIEW_PREDICTION, mdm_program_output(tr->program), a);
}

static const float *view_input(const maskdm_trainer *tr, struct amount a)
{
    return copy(tr, MDM_VIEW_INPUT, tr->micro.input, a);
}

static const float *view_noise(const maskdm_trainer *tr, struct amount a)
{
    return copy(tr, MDM_VIEW_NOISE, tr->micro.noise, a);
}

static const float *view_images(const maskdm_trainer *tr, struct amount a)
{
    return copy(tr, MDM_VIEW_IMAGES, tr->micro.images, a);
}

static const struct {
    const char *name;
    const float *(*view)(const maskdm_trainer *tr, struct amount a);
    int64_t (*of)(const maskdm_trainer *tr, const struct mdm_extent *e);
} views[] = {{"input", view_input, of_image},    {"noise", view_noise, of_image},
             {"images", view_images, of_image},  {"input_gradient", view_input_gradient, of_image},
             {"target", view_target, of_target}, {"prediction", view_prediction, of_prediction}};

const float *mdm_trainer_view(const maskdm_trainer *tr, const char *name, int64_t *count)
{
    for (size_t i = 0; i < MDM_LENGTH(views); i++)
        if (strcmp(views[i].name, name) == 0) {
            const struct amount a = amount_of(tr, views[i].of);
            const float *seen = views[i].view(tr, a);

            *count = seen ? a.values : 0;
            return seen;
        }
    mdm_fail(MASKDM_ENOTFOUND, "a trainer has no view \"%.80s\"", name);
    *count = 0;
    return NULL;
}
