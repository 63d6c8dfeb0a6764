/* SPDX-License-Identifier: BSD-2-Clause
 *
 * maskdm/sample.h: validate and forward.
 */
#include "api/argument.h"
#include "run/sample.h"
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
    return mdm_work_end(&work, mdm_sampler_create(out, model, which, options, control));
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
    return mdm_work_end(&work,
                        mdm_sampler_run(sampler, count, seeds, labels, sample_type, out, row_stride,
                                        image_stride));
}

int maskdm_sampler_run_from(maskdm_sampler *sampler, int64_t count, float *x, const float *noise,
                            const int32_t *labels)
{
    struct mdm_work work = {0};

    MDM_NEED(sampler);
    MDM_NEED_ARRAY(x, count);
    MDM_TRY(mdm_work_alone(&work, &sampler->handle));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(sampler->model)));
    return mdm_work_end(&work, mdm_sampler_run_from(sampler, count, x, noise, labels));
}

void maskdm_sampler_set_preview(maskdm_sampler *sampler, maskdm_preview_callback callback, void *user)
{
    MDM_NEED_OR(sampler, );
    sampler->preview = callback;
    sampler->preview_user = user;
}

int maskdm_sample(const maskdm_options *options, maskdm_control *control)
{
    struct mdm_work work = {0};

    MDM_NEED(options);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(control)));
    return mdm_work_end(&work, mdm_sample_run(options, control));
}
