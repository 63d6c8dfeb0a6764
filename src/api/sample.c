/* SPDX-License-Identifier: BSD-2-Clause
 *
 * maskdm/sample.h: validate and forward.
 */
#include "api/argument.h"
#include "run/sample.h"
#include "sample/sampler.h"

int maskdm_sampler_create(maskdm_sampler **out, maskdm_model *model, enum maskdm_weights which,
                          const maskdm_options *options, maskdm_control *control)
{
    struct maskdm_work work = {0};

    MASKDM_NEED_OUT(out);
    MASKDM_NEED(model);
    MASKDM_NEED_WEIGHTS(which);
    MASKDM_TRY(maskdm_work_share(&work, &model->handle));
    MASKDM_TRY(maskdm_work_share(&work, maskdm_optionset_handle(options)));
    MASKDM_TRY(maskdm_work_share(&work, MASKDM_HANDLE(control)));
    return maskdm_work_end(&work, maskdm_sampling_create(out, model, which, options, control));
}

void maskdm_sampler_release(maskdm_sampler **sampler)
{
    if (sampler)
        maskdm_sampling_drop(sampler);
}

int maskdm_sampler_run(maskdm_sampler *sampler, int64_t count, const uint64_t *seeds, const int32_t *labels,
                       enum maskdm_sample sample, void *out, size_t row_stride, size_t image_stride)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(sampler);
    MASKDM_NEED_ARRAY(out, count);
    MASKDM_TRY(maskdm_work_alone(&work, &sampler->handle));
    MASKDM_TRY(maskdm_work_share(&work, &sampler->model->handle));
    return maskdm_work_end(&work,
                           maskdm_sampling_run(sampler, count, seeds, labels, sample, out, row_stride,
                                               image_stride));
}

int maskdm_sampler_run_from(maskdm_sampler *sampler, int64_t count, float *x, const float *noise,
                            const int32_t *labels)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(sampler);
    MASKDM_NEED_ARRAY(x, count);
    MASKDM_TRY(maskdm_work_alone(&work, &sampler->handle));
    MASKDM_TRY(maskdm_work_share(&work, &sampler->model->handle));
    return maskdm_work_end(&work, maskdm_sampling_run_from(sampler, count, x, noise, labels));
}

void maskdm_sampler_set_preview(maskdm_sampler *sampler, maskdm_preview_callback callback, void *user)
{
    MASKDM_NEED_OR(sampler, );
    sampler->preview = callback;
    sampler->preview_user = user;
}

int maskdm_sample(const maskdm_options *options, maskdm_control *control)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(options);
    MASKDM_TRY(maskdm_work_share(&work, maskdm_optionset_handle(options)));
    MASKDM_TRY(maskdm_work_share(&work, MASKDM_HANDLE(control)));
    return maskdm_work_end(&work, maskdm_sample_run(options, control));
}
