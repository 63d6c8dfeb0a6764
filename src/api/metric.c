/* SPDX-License-Identifier: BSD-2-Clause
 *
 * maskdm/metric.h: held-out error and features.
 */
#include "metric/features.h"

#include "api/argument.h"
#include "train/held_out.h"
#include "train/loss.h"

#include <string.h>

int maskdm_model_held_out(maskdm_model *model, int which, maskdm_data *data, int64_t count, uint64_t seed,
                          const char *loss, double delta, maskdm_control *control, double *x0_error, double *own_loss,
                          double *bucket, int64_t buckets)
{
    struct mdm_held_out told = {.count = count, .seed = seed, .buckets = bucket ? buckets : 0, .control = control};
    struct mdm_work work = {0};

    MDM_NEED(model);
    MDM_NEED_WEIGHTS(which);
    MDM_NEED(data);
    MDM_NEED_COUNT(count);
    MDM_NEED(loss);
    MDM_NEED(x0_error);
    MDM_NEED(own_loss);
    MDM_TRY(mdm_loss_find(&told.loss, loss));
    MDM_TRY(mdm_loss_delta(&told.delta, told.loss, delta, "delta"));
    MDM_TRY(mdm_work_share(&work, &model->handle));
    MDM_TRY(mdm_work_alone(&work, &data->handle));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(control)));
    return mdm_work_end(&work, mdm_held_out(model, which, data, &told, x0_error, own_loss, bucket));
}

int maskdm_features_create(maskdm_features **out, maskdm_device *device, int64_t width)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(device);
    MDM_TRY(mdm_work_share(&work, mdm_device_handle(device)));
    return mdm_work_end(&work, mdm_features_create(out, device, width));
}

int maskdm_features_create_callback(maskdm_features **out, maskdm_device *device, int64_t count, int64_t width,
                                    maskdm_features_callback fetch, void *user, maskdm_control *control)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(device);
    MDM_NEED_COUNT(count);
    MDM_NEED(fetch);
    MDM_TRY(mdm_work_share(&work, mdm_device_handle(device)));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(control)));
    return mdm_work_end(&work, mdm_features_create_callback(out, device, count, width, fetch, user, control));
}

int maskdm_features_load(maskdm_features **out, maskdm_device *device, const char *path)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(device);
    MDM_NEED(path);
    MDM_TRY(mdm_work_share(&work, mdm_device_handle(device)));
    return mdm_work_end(&work, mdm_features_load(out, device, path));
}

int maskdm_features_save(const maskdm_features *features, const char *path)
{
    struct mdm_work work = {0};

    MDM_NEED(features);
    MDM_NEED(path);
    MDM_TRY(mdm_work_share(&work, &features->handle));
    return mdm_work_end(&work, mdm_features_save(features, path));
}

void maskdm_features_release(maskdm_features **features)
{
    if (features)
        mdm_features_drop(features);
}

int maskdm_features_add(maskdm_features *features, int64_t count, const float *rows)
{
    struct mdm_work work = {0};

    MDM_NEED(features);
    MDM_NEED_COUNT(count);
    MDM_NEED_ARRAY(rows, count);
    MDM_TRY(mdm_work_alone(&work, &features->handle));
    return mdm_work_end(&work, mdm_features_add(features, count, rows));
}

int64_t maskdm_features_count(const maskdm_features *features)
{
    MDM_NEED(features);
    return features->count;
}

int64_t maskdm_features_width(const maskdm_features *features)
{
    MDM_NEED(features);
    return features->width;
}

int maskdm_features_get(const maskdm_features *features, int64_t first, int64_t count, float *rows)
{
    struct mdm_work work = {0};
    int status = MASKDM_OK;

    MDM_NEED(features);
    MDM_NEED_COUNT(count);
    MDM_NEED_ARRAY(rows, count);
    MDM_TRY(mdm_work_share(&work, &features->handle));
    if (first < 0 || first > features->count || count > features->count - first)
        status = mdm_fail(MASKDM_EINVAL, "%s: rows %lld .. are not %lld of the %lld that there are", __func__,
                          (long long)first, (long long)count, (long long)features->count);
    else if (count)
        memcpy(rows, features->row + first * features->width, (size_t)(count * features->width) * sizeof *rows);
    return mdm_work_end(&work, status);
}

/* The handles of a job on two sets, which may be one, and what its options say. */
static int begin(struct mdm_work *work, const maskdm_features *a, const maskdm_features *b,
                 const maskdm_options *options, const maskdm_control *control, struct mdm_metric_options *told)
{
    maskdm_options *o;

    MDM_TRY(mdm_work_share(work, &a->handle));
    MDM_TRY(mdm_work_share(work, MDM_HANDLE(b)));
    MDM_TRY(mdm_work_share(work, mdm_device_handle(a->device)));
    MDM_TRY(mdm_work_share(work, mdm_options_handle(options)));
    MDM_TRY(mdm_work_share(work, MDM_HANDLE(control)));
    if (mdm_options_extract(&o, options, &mdm_metric_kind) < 0)
        return mdm_work_end(work, mdm_error_status());
    mdm_options_read(o, &mdm_metric_options, told);
    mdm_options_release(&o);
    return MASKDM_OK;
}

int maskdm_features_kernel_distance(const maskdm_features *features, const maskdm_features *reference,
                                    const maskdm_options *options, maskdm_control *control, double *mean,
                                    double *deviation)
{
    struct mdm_work work = {0};
    struct mdm_metric_options told;

    MDM_NEED(features);
    MDM_NEED(reference);
    MDM_NEED(mean);
    MDM_NEED(deviation);
    MDM_TRY(begin(&work, features, reference, options, control, &told));
    return mdm_work_end(&work, mdm_features_kid(features, reference, &told, control, mean, deviation));
}

int maskdm_features_discrepancy(const maskdm_features *features, const int32_t *index,
                                const maskdm_features *reference, const int32_t *reference_index, int64_t count,
                                const maskdm_options *options, maskdm_control *control, double *out)
{
    struct mdm_work work = {0};
    struct mdm_metric_options told;

    MDM_NEED(features);
    MDM_NEED(reference);
    MDM_NEED(out);
    MDM_TRY(begin(&work, features, reference, options, control, &told));
    return mdm_work_end(&work,
                        mdm_features_mmd(features, index, reference, reference_index, count, &told, control, out));
}

int maskdm_features_neighbours(const maskdm_features *features, const maskdm_features *reference,
                               const maskdm_options *options, maskdm_control *control, double *precision,
                               double *recall, double *density, double *coverage)
{
    struct mdm_work work = {0};
    struct mdm_metric_options told;
    struct mdm_neighbours n;
    int status;

    MDM_NEED(features);
    MDM_NEED(reference);
    MDM_NEED(precision);
    MDM_NEED(recall);
    MDM_NEED(density);
    MDM_NEED(coverage);
    MDM_TRY(begin(&work, features, reference, options, control, &told));
    status = mdm_features_neighbours(features, reference, told.neighbours, control, &n);
    if (status >= 0) {
        *precision = n.precision;
        *recall = n.recall;
        *density = n.density;
        *coverage = n.coverage;
    }
    return mdm_work_end(&work, status);
}

int maskdm_features_radii(const maskdm_features *features, int64_t k, maskdm_control *control, double *radius,
                          int64_t count)
{
    struct mdm_work work = {0};
    struct mdm_metric_options told;

    MDM_NEED(features);
    MDM_NEED_COUNT(count);
    MDM_NEED_ARRAY(radius, count);
    MDM_TRY(begin(&work, features, NULL, NULL, control, &told));
    if (count != features->count)
        return mdm_work_end(&work, mdm_fail(MASKDM_ESHAPE, "%s: %lld radii for %lld rows", __func__, (long long)count,
                                            (long long)features->count));
    return mdm_work_end(&work, mdm_features_radii(features, k, control, radius));
}

int maskdm_features_infinity(const maskdm_features *features, maskdm_statistics *reference,
                             const maskdm_options *options, maskdm_control *control, double *out)
{
    struct mdm_work work = {0};
    struct mdm_metric_options told;

    MDM_NEED(features);
    MDM_NEED(reference);
    MDM_NEED(out);
    MDM_TRY(mdm_work_alone(&work, &reference->handle));
    MDM_TRY(begin(&work, features, NULL, options, control, &told));
    return mdm_work_end(&work, mdm_features_infinity(features, reference, &told, control, out));
}
