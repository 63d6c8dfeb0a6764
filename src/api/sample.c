/* SPDX-License-Identifier: BSD-2-Clause
 *
 * maskdm/sample.h: validate and forward.
 */
#include "run/sample.h"
#include "sample/sampler.h"

int maskdm_sampler_create(maskdm_sampler **out, maskdm_model *model, enum maskdm_weights which,
                          const maskdm_options *options, maskdm_control *control)
{
    if (!out)
        return maskdm_fail(MASKDM_EINVAL, "out is NULL");
    *out = NULL;
    if (!model)
        return maskdm_fail(MASKDM_EINVAL, "model is NULL");
    if (which != MASKDM_WEIGHTS_EMA && which != MASKDM_WEIGHTS_ONLINE)
        return maskdm_fail(MASKDM_EINVAL, "there are no weights %d", (int)which);
    return maskdm_sampling_create(out, model, which, options, control);
}

void maskdm_sampler_release(maskdm_sampler **sampler)
{
    if (sampler)
        maskdm_sampling_drop(sampler);
}

int maskdm_sampler_run(maskdm_sampler *sampler, int64_t count, const uint64_t *seeds, const int32_t *labels,
                       enum maskdm_sample sample, void *out, size_t row_stride, size_t image_stride)
{
    if (!sampler || (!out && count))
        return maskdm_fail(MASKDM_EINVAL, "sampler or out is NULL");
    return maskdm_sampling_run(sampler, count, seeds, labels, sample, out, row_stride, image_stride);
}

int maskdm_sampler_run_from(maskdm_sampler *sampler, int64_t count, float *x, const float *noise,
                            const int32_t *labels)
{
    if (!sampler || (!x && count))
        return maskdm_fail(MASKDM_EINVAL, "sampler or x is NULL");
    return maskdm_sampling_run_from(sampler, count, x, noise, labels);
}

void maskdm_sampler_set_preview(maskdm_sampler *sampler, maskdm_preview_callback callback, void *user)
{
    if (!sampler)
        return;
    sampler->preview = callback;
    sampler->preview_user = user;
}

int maskdm_sample(const maskdm_options *options, maskdm_control *control)
{
    if (!options)
        return maskdm_fail(MASKDM_EINVAL, "options are NULL");
    return maskdm_sample_run(options, control);
}
