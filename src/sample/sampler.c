/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sampler handle, and images into memory that the caller lends.
 */
#include "sample/sampler.h"

#include "base/alloc.h"
#include "base/error.h"
#include "diffusion/options.h"
#include "sample/pixels.h"

static void destroy(void *object)
{
    maskdm_sampler *s = object;

    mdm_sampler_drop_group(s);
    mdm_method_free(&s->method);
    mdm_model_drop(&s->model);
    mdm_control_drop(&s->control);
    mdm_free(s);
}

static const struct mdm_handle_kind kind = {"sampler", destroy};

int mdm_sampler_create(maskdm_sampler **out, maskdm_model *model, enum maskdm_weights which,
                       const maskdm_options *options, maskdm_control *control)
{
    struct mdm_sampler_options settings;
    maskdm_options *o = NULL;
    maskdm_sampler *s;
    int status;

    *out = NULL;
    s = mdm_need(1, sizeof *s, "a sampler");
    if (!s)
        return MASKDM_ENOMEM;
    mdm_handle_init(&s->handle, &kind);
    mdm_model_hold(model);
    mdm_control_hold(control);
    s->model = model;
    s->which = which;
    s->control = control;
    status = mdm_options_extract(&o, options, &mdm_sampler_kind);
    if (status < 0)
        goto out;
    mdm_options_read(o, &mdm_sampler_options, &settings);
    s->batch_size = settings.batch_size;
    s->seed = (uint64_t)settings.seed;
    s->guidance = settings.guidance;
    if (s->guidance != 1 && model->geometry.classes == 0)
        status = mdm_fail(MASKDM_EINVAL, "%s %g needs a network with labels, and this one has no classes",
                          mdm_options_said(o, "guidance"), s->guidance);
    if (status >= 0)
        status = mdm_method_make(&s->method, model->scheduler, o);
out:
    mdm_options_release(&o);
    if (status < 0)
        mdm_sampler_drop(&s);
    *out = s;
    return status;
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

int mdm_sampler_run(maskdm_sampler *s, int64_t count, const uint64_t *seeds, const int32_t *labels, int sample_type,
                    void *out, size_t row_stride, size_t image_stride)
{
    struct lent l = {.out = out};

    if (count < 0)
        return mdm_fail(MASKDM_EINVAL, "%lld images are out of range", (long long)count);
    MDM_TRY(mdm_pixels_layout(&l.pixels, &s->model->geometry, count, sample_type, row_stride, image_stride));
    return mdm_sampler_each(s, count, seeds, labels, take_lent, &l);
}
