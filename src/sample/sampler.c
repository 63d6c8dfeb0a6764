/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sampler handle, and images into memory that the caller lends.
 */
#include "sample/sampler.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "diffusion/options.h"
#include "sample/pixels.h"

static void destroy(void *object)
{
    maskdm_sampler *s = object;

    mdm_sampler_drop_group(s);
    mdm_pictures_free(&s->start_from);
    mdm_hole_release(&s->hole);
    mdm_denoiser_release(&s->denoiser);
    mdm_method_free(&s->method);
    mdm_scheduler_drop(&s->scheduler);
    mdm_device_drop(&s->device);
    mdm_model_drop(&s->model);
    mdm_model_drop(&s->guide);
    mdm_control_drop(&s->control);
    if (s->drop)
        s->drop(s->drop_user);
    mdm_free(s);
}

static const struct mdm_handle_kind kind = {"sampler", destroy};

/* All but the one that is asked. */
static maskdm_sampler *make(maskdm_device *device, maskdm_scheduler *scheduler, const struct mdm_geometry *geometry,
                            maskdm_control *control)
{
    maskdm_sampler *s = mdm_need(1, sizeof *s, "a sampler");

    if (!s)
        return NULL;
    mdm_handle_init(&s->handle, &kind);
    mdm_device_hold(device);
    mdm_scheduler_hold(scheduler);
    mdm_control_hold(control);
    s->device = device;
    s->scheduler = scheduler;
    s->control = control;
    s->geometry = *geometry;
    return s;
}

/* A network that says a variance has it behind the channels of an image. */
static int check_variance(const maskdm_sampler *s, const maskdm_options *o)
{
    if (!s->method.learned_variance || (s->model && s->geometry.outputs == 2 * s->geometry.channels))
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL, "%s learned_range needs a network that says a variance, made with learn_sigma; %s",
                    mdm_options_said(o, "variance"),
                    s->model ? "this one does not" : "a function of the host does not");
}

static int read_options(maskdm_sampler *s, const maskdm_options *options, enum maskdm_weights which,
                        maskdm_model *guide, enum maskdm_weights guide_which)
{
    struct mdm_sampler_options told;
    maskdm_options *o;
    int status;

    MDM_TRY(mdm_sampler_settle(&o, options, s->model));
    mdm_options_read(o, &mdm_sampler_options, &told);
    s->batch_size = told.batch_size;
    s->seed = (uint64_t)told.seed;
    status = mdm_sampler_guide(s, o, which, guide, guide_which);
    if (status == MASKDM_OK)
        status = mdm_method_make(&s->method, s->scheduler, o);
    if (status == MASKDM_OK)
        status = check_variance(s, o);
    if (status == MASKDM_OK && s->geometry.space && s->method.threshold > 0)
        status = mdm_fail(MASKDM_EINVAL, "%s is for pixels, and this network works on %s",
                          mdm_options_said(o, "threshold"), s->geometry.space->name);
    mdm_options_release(&o);
    return status;
}

int mdm_sampler_create(maskdm_sampler **out, maskdm_model *model, enum maskdm_weights which, maskdm_model *guide,
                       enum maskdm_weights guide_which, const maskdm_options *options, maskdm_control *control)
{
    maskdm_sampler *s = make(model->device, model->scheduler, &model->geometry, control);
    int status;

    *out = NULL;
    if (!s)
        return MASKDM_ENOMEM;
    mdm_model_hold(model);
    s->model = model;
    status = mdm_denoiser_of_model(&s->denoiser, model, which, control);
    if (status == MASKDM_OK)
        status = read_options(s, options, which, guide, guide_which);
    if (status < 0)
        mdm_sampler_drop(&s);
    *out = s;
    return status;
}

static int check_size(const struct mdm_geometry *g)
{
    int64_t values;

    if (g->height > 0 && g->width > 0 && g->channels > 0 && !mdm_mul_i64(&values, g->height, g->width) &&
        !mdm_mul_i64(&values, values, g->channels) && values <= INT32_MAX)
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL, "images of %lld x %lld x %lld values are outside 1 .. 2^31 of them",
                    (long long)g->height, (long long)g->width, (long long)g->channels);
}

int mdm_sampler_create_custom(maskdm_sampler **out, maskdm_device *device, maskdm_scheduler *scheduler,
                              const struct mdm_geometry *geometry, maskdm_denoise_callback denoise,
                              maskdm_drop_callback drop, void *user, const maskdm_options *options,
                              maskdm_control *control)
{
    maskdm_sampler *s;
    int status;

    *out = NULL;
    MDM_TRY(check_size(geometry));
    s = make(device, scheduler, geometry, control);
    if (!s)
        return MASKDM_ENOMEM;
    status = mdm_denoiser_custom(&s->denoiser, device, geometry->height * geometry->width * geometry->channels,
                                 denoise, user);
    if (status == MASKDM_OK)
        status = read_options(s, options, MASKDM_WEIGHTS_EMA, NULL, MASKDM_WEIGHTS_EMA);
    if (status < 0) {
        mdm_sampler_drop(&s);
        return status;
    }
    s->drop = drop;
    s->drop_user = user;
    *out = s;
    return MASKDM_OK;
}

void mdm_sampler_drop(maskdm_sampler **out)
{
    maskdm_sampler *s = *out;

    *out = NULL;
    if (s)
        mdm_handle_drop(&s->handle);
}

struct lent {
    struct mdm_pixels pixels;
    void *out;
};

static int take_lent(void *user, int64_t first, int64_t batch, const float *x)
{
    const struct lent *l = user;

    mdm_pixels_write(&l->pixels, l->out, first, batch, x);
    return MASKDM_OK;
}

int mdm_sampler_run(maskdm_sampler *s, int64_t count, struct mdm_seeds seeds, const int32_t *labels, int sample_type,
                    void *out, size_t row_stride, size_t image_stride)
{
    struct lent l = {.out = out};

    if (count < 0)
        return mdm_fail(MASKDM_EINVAL, "%lld images are out of range", (long long)count);
    MDM_TRY(mdm_pixels_layout(&l.pixels, &s->geometry, count, sample_type, row_stride, image_stride));
    return mdm_sampler_each(s, count, seeds, labels, take_lent, &l);
}
