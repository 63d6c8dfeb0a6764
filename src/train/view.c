/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a host may see of the micro-batch: copies of device memory, made when they are asked for into a buffer that
 * each name has and keeps. Images are whole; what the loss compares, target and prediction, is the visible patches in
 * their order, so that a loss of the host's is one loop over both.
 */
#include "train/trainer.h"

#include "base/alloc.h"
#include "base/error.h"

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

/* Values of one row of which so many patches are visible. */
static int64_t of_image(const maskdm_trainer *tr, int64_t visible)
{
    (void)visible;
    return tr->values;
}

static int64_t of_target(const maskdm_trainer *tr, int64_t visible)
{
    const struct mdm_geometry *g = &tr->model->geometry;

    return visible * g->patch * g->patch * g->channels;
}

static int64_t of_prediction(const maskdm_trainer *tr, int64_t visible)
{
    const struct mdm_geometry *g = &tr->model->geometry;

    return visible * g->patch * g->patch * g->outputs;
}

static struct amount amount_of(const maskdm_trainer *tr, int64_t (*of)(const maskdm_trainer *tr, int64_t visible))
{
    struct amount a = {.values = tr->batch * of(tr, tr->visible)};

    for (int i = 0; i < tr->pace.levels; i++) {
        const struct mdm_pace_level *l = &tr->pace.level[i];
        const int64_t values = mdm_pace_rows(&tr->pace, l) * of(tr, l->visible);

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

/* patches[B,K,p*p*C] from whole[B,H,W,C] */
static void gather(const maskdm_trainer *tr, float *patches, const float *whole)
{
    const struct mdm_geometry *g = &tr->model->geometry;
    const int64_t across = g->width / g->patch, row = g->patch * g->channels;

    for (int64_t i = 0; i < tr->batch * tr->visible; i++) {
        const int64_t patch = tr->micro.index[i];
        const float *from = whole + i / tr->visible * tr->values +
                            patch / across * g->patch * g->width * g->channels + patch % across * row;

        for (int64_t y = 0; y < g->patch; y++, from += g->width * g->channels, patches += row)
            memcpy(patches, from, (size_t)row * sizeof *patches);
    }
}

static const float *view_target(const maskdm_trainer *tr, struct amount a)
{
    const float *whole = copy(tr, MDM_VIEW_WHOLE, tr->micro.target, amount_of(tr, of_image));
    float *patches = whole ? get_buffer(tr, MDM_VIEW_TARGET, a.room) : NULL;

    if (patches)
        gather(tr, patches, whole);
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
    int64_t (*of)(const maskdm_trainer *tr, int64_t visible);
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
