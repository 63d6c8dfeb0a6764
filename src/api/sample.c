/* SPDX-License-Identifier: BSD-2-Clause
 *
 * maskdm/sample.h: validate and forward.
 */
#include "api/argument.h"
#include "run/sample.h"
#include "sample/interpolate.h"
#include "sample/sampler.h"

int maskdm_sampler_create(maskdm_sampler **out, maskdm_model *model, int which,
                          const maskdm_options *options, maskdm_control *control)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(model);
    MDM_NEED_WEIGHTS(which);
    MDM_TRY(mdm_work_share(&work, &model->handle));
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(control)));
    return mdm_work_end(&work,
                        mdm_sampler_create(out, model, which, NULL, MASKDM_WEIGHTS_EMA, options, control));
}

int maskdm_sampler_create_guided(maskdm_sampler **out, maskdm_model *model, int which, maskdm_model *guide,
                                 int guide_which, const maskdm_options *options, maskdm_control *control)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(model);
    MDM_NEED_WEIGHTS(which);
    MDM_NEED(guide);
    MDM_NEED_WEIGHTS(guide_which);
    MDM_NEED(options);
    MDM_TRY(mdm_work_share(&work, &model->handle));
    MDM_TRY(mdm_work_share(&work, &guide->handle));
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(control)));
    return mdm_work_end(&work, mdm_sampler_create(out, model, which, guide, guide_which, options, control));
}

static int create_custom(maskdm_sampler **out, maskdm_device *device, maskdm_scheduler *scheduler,
                         const struct mdm_geometry *geometry, maskdm_denoise_callback denoise,
                         maskdm_drop_callback drop, void *user, const maskdm_options *options,
                         maskdm_control *control, const char *function)
{
    struct mdm_work work = {0};

    if (!out)
        return mdm_argument_null(function, "out");
    *out = NULL;
    if (!device || !scheduler || !denoise)
        return mdm_argument_null(function, !device ? "device" : !scheduler ? "scheduler" : "denoise");
    MDM_TRY(mdm_argument_count(function, "classes", geometry->classes));
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(control)));
    return mdm_work_end(&work, mdm_sampler_create_custom(out, device, scheduler, geometry, denoise, drop, user,
                                                         options, control));
}

int maskdm_sampler_create_custom(maskdm_sampler **out, maskdm_device *device, maskdm_scheduler *scheduler,
                                 int64_t height, int64_t width, int channels, int64_t classes,
                                 maskdm_denoise_callback denoise, maskdm_drop_callback drop, void *user,
                                 const maskdm_options *options, maskdm_control *control)
{
    const struct mdm_geometry geometry = {
        .height = height, .width = width, .channels = channels, .classes = classes, .outputs = channels};
    const int status =
        create_custom(out, device, scheduler, &geometry, denoise, drop, user, options, control, __func__);

    if (status < 0 && drop)
        drop(user);
    return status;
}

void maskdm_sampler_release(maskdm_sampler **sampler)
{
    if (sampler)
        mdm_sampler_drop(sampler);
}

int maskdm_sampler_run(maskdm_sampler *sampler, int64_t count, const uint64_t *seeds, const int32_t *labels,
                       int sample_type, void *out, size_t row_stride, size_t image_stride)
{
    struct mdm_work work = {0};

    MDM_NEED(sampler);
    MDM_NEED_SAMPLE_TYPE(sample_type);
    MDM_NEED_ARRAY(out, count);
    MDM_TRY(mdm_work_alone(&work, &sampler->handle));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(sampler->model)));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(sampler->guide)));
    return mdm_work_end(&work,
                        mdm_sampler_run(sampler, count, (struct mdm_seeds){.from = seeds}, labels, sample_type,
                                        out, row_stride, image_stride));
}

int maskdm_sampler_run_from(maskdm_sampler *sampler, int64_t count, float *x, const float *noise,
                            const int32_t *labels)
{
    struct mdm_work work = {0};

    MDM_NEED(sampler);
    MDM_NEED_ARRAY(x, count);
    MDM_TRY(mdm_work_alone(&work, &sampler->handle));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(sampler->model)));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(sampler->guide)));
    return mdm_work_end(&work, mdm_sampler_run_from(sampler, count, x, noise, labels));
}

int maskdm_sampler_run_between(maskdm_sampler *sampler, const uint64_t *through, int64_t count, int64_t frames,
                               const int32_t *labels, int sample_type, void *out, size_t row_stride,
                               size_t image_stride)
{
    struct mdm_work work = {0};

    MDM_NEED(sampler);
    MDM_NEED_COUNT(count);
    MDM_NEED_COUNT(frames);
    MDM_NEED_SAMPLE_TYPE(sample_type);
    MDM_NEED_ARRAY(through, count);
    MDM_NEED_ARRAY(out, frames);
    MDM_TRY(mdm_work_alone(&work, &sampler->handle));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(sampler->model)));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(sampler->guide)));
    return mdm_work_end(&work, mdm_sampler_run_between(sampler, through, count, frames, labels, sample_type, out,
                                                       row_stride, image_stride));
}

int maskdm_sampler_set_start(maskdm_sampler *sampler, const maskdm_image *const *image, int64_t count,
                             double strength)
{
    struct mdm_work work = {0};

    MDM_NEED(sampler);
    MDM_NEED_COUNT(count);
    MDM_TRY(mdm_work_alone(&work, &sampler->handle));
    return mdm_work_end(&work, mdm_sampler_set_start(sampler, image, count, strength));
}

int maskdm_sampler_set_hole(maskdm_sampler *sampler, const maskdm_image *const *image, int64_t count,
                            const maskdm_image *mask, const maskdm_options *options)
{
    struct mdm_work work = {0};

    MDM_NEED(sampler);
    MDM_NEED_COUNT(count);
    if (image)
        MDM_NEED(mask);
    MDM_TRY(mdm_work_alone(&work, &sampler->handle));
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    return mdm_work_end(&work, mdm_sampler_set_hole(sampler, image, count, mask, options));
}

void maskdm_sampler_set_step(maskdm_sampler *sampler, maskdm_step_callback callback, void *user)
{
    MDM_NEED_OR(sampler, );
    sampler->step = callback;
    sampler->step_user = user;
}

int maskdm_sample(const maskdm_options *options, maskdm_control *control)
{
    struct mdm_work work = {0};

    MDM_NEED(options);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(control)));
    return mdm_work_end(&work, mdm_sample_run(options, control));
}
