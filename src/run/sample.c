/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What maskdm_sample() does: check all that can be checked before a step is taken, load, sample, write.
 */
#include "run/sample.h"

#include "backend/device.h"
#include "backend/options.h"
#include "run/options.h"
#include "run/samples.h"
#include "sample/sampler.h"
#include "util/alloc.h"
#include "util/error.h"

#include <string.h>

enum { MOST_LABELS = 4096 };

static int open_device(maskdm_device **out, const maskdm_options *options)
{
    maskdm_options *o;
    int status;

    *out = NULL;
    MASKDM_TRY(maskdm_optionset_extract(&o, options, &maskdm_device_kind));
    status = maskdm_backend_open(out, maskdm_optionset_string(options, "device"), o, NULL, 0, NULL);
    maskdm_optionset_release(&o);
    return status;
}

/* One label per image, the given ones in turn; *out stays NULL where none was given. */
static int read_labels(int32_t **out, const maskdm_options *options, int64_t count)
{
    double *given;
    int n;

    *out = NULL;
    if (!maskdm_optionset_is_set(options, "label"))
        return MASKDM_OK;
    given = maskdm_need(MOST_LABELS, sizeof *given, "labels");
    *out = maskdm_need((size_t)count, sizeof **out, "labels");
    if (!given || !*out) {
        maskdm_free(given);
        maskdm_free(*out);
        *out = NULL;
        return MASKDM_ENOMEM;
    }
    n = maskdm_optionset_list(options, "label", given, MOST_LABELS);
    for (int64_t i = 0; n > 0 && i < count; i++)
        (*out)[i] = given[i % n] > INT32_MAX ? INT32_MAX : (int32_t)given[i % n];
    maskdm_free(given);
    return MASKDM_OK;
}

/* What is drawn is known: labels and memory are good, and the place is entered. */
static int draw(maskdm_sampler *sampler, const maskdm_options *options, const int32_t *labels,
                struct maskdm_samples *place)
{
    const int bits = (int)maskdm_optionset_int(options, "bits");
    int64_t written = 0;
    int status;

    if (place->writer)
        return maskdm_sampling_write_grid(sampler, place->missing, labels, maskdm_optionset_int(options, "columns"),
                                          bits, &place->writer);
    if (!place->missing)
        return MASKDM_OK;
    status = maskdm_sampling_write_images(sampler, place->missing, place->number, labels, bits, place->path,
                                          &written);
    if (status < 0)
        maskdm_log_line(maskdm_control_log(sampler->control), MASKDM_LOG_INFO,
                        "%lld of %lld images are in %s; %s goes on", (long long)(place->there + written),
                        (long long)(place->there + place->missing), place->path,
                        maskdm_optionset_said(options, "resume"));
    return status;
}

static int sample(const maskdm_options *options, maskdm_device *device, const int32_t *labels,
                  struct maskdm_samples *place, maskdm_control *control)
{
    const enum maskdm_weights which =
        strcmp(maskdm_optionset_string(options, "weights"), "online") ? MASKDM_WEIGHTS_EMA : MASKDM_WEIGHTS_ONLINE;
    maskdm_model *model = NULL;
    maskdm_sampler *sampler = NULL;
    int status = maskdm_weights_load_one(&model, device, maskdm_optionset_string(options, "model"), which);

    if (status >= 0)
        status = maskdm_sampling_create(&sampler, model, which, options, control);
    if (status >= 0)
        status = maskdm_sampling_check_labels(model, place->missing, labels);
    if (status >= 0)
        status = maskdm_sampling_ready_group(sampler, place->missing < sampler->batch_size ? place->missing
                                                                                           : sampler->batch_size);
    if (status >= 0)
        status = maskdm_samples_enter(place, options, model, which, control);
    if (status >= 0)
        status = draw(sampler, options, labels, place);
    maskdm_sampling_drop(&sampler);
    maskdm_weights_drop(&model);
    return status;
}

int maskdm_sample_run(const maskdm_options *options, maskdm_control *control)
{
    struct maskdm_samples place = {0};
    maskdm_device *device = NULL;
    int32_t *labels = NULL;
    int status;

    if (maskdm_optionset_kind(options) != &maskdm_sample_kind)
        return maskdm_fail(MASKDM_EINVAL, "options of kind %s, not sample", maskdm_optionset_kind(options)->name);
    MASKDM_TRY(maskdm_optionset_check(options));
    status = maskdm_samples_open(&place, options);
    if (status >= 0)
        status = read_labels(&labels, options, place.missing);
    if (status >= 0)
        status = open_device(&device, options);
    if (status >= 0)
        status = sample(options, device, labels, &place, control);
    maskdm_samples_close(&place);
    maskdm_free(labels);
    maskdm_device_drop(&device);
    return status;
}
