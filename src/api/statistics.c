/* SPDX-License-Identifier: BSD-2-Clause
 *
 * maskdm/metric.h: statistics.
 */
#include "metric/features.h"

#include "api/argument.h"

int maskdm_statistics_create(maskdm_statistics **out, maskdm_device *device, int64_t width)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(device);
    MDM_TRY(mdm_work_share(&work, mdm_device_handle(device)));
    return mdm_work_end(&work, mdm_statistics_create(out, device, width));
}

int maskdm_statistics_create_from(maskdm_statistics **out, maskdm_device *device, int64_t count, int64_t width,
                                  const double *mean, const double *covariance)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(device);
    MDM_NEED_COUNT(count);
    MDM_NEED(mean);
    MDM_NEED(covariance);
    MDM_TRY(mdm_work_share(&work, mdm_device_handle(device)));
    return mdm_work_end(&work, mdm_statistics_create_from(out, device, count, width, mean, covariance));
}

int maskdm_statistics_create_of(maskdm_statistics **out, const maskdm_features *features)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(features);
    MDM_TRY(mdm_work_share(&work, &features->handle));
    MDM_TRY(mdm_work_share(&work, mdm_device_handle(features->device)));
    return mdm_work_end(&work, mdm_features_statistics(out, features, NULL));
}

int maskdm_statistics_load(maskdm_statistics **out, maskdm_device *device, const char *path)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_NEED(device);
    MDM_NEED(path);
    MDM_TRY(mdm_work_share(&work, mdm_device_handle(device)));
    return mdm_work_end(&work, mdm_statistics_load(out, device, path));
}

void maskdm_statistics_release(maskdm_statistics **statistics)
{
    if (statistics)
        mdm_statistics_drop(statistics);
}

int maskdm_statistics_add(maskdm_statistics *statistics, int64_t count, const float *rows)
{
    struct mdm_work work = {0};

    MDM_NEED(statistics);
    MDM_NEED_COUNT(count);
    MDM_NEED_ARRAY(rows, count);
    MDM_TRY(mdm_work_alone(&work, &statistics->handle));
    return mdm_work_end(&work, mdm_statistics_add(statistics, count, rows));
}

int64_t maskdm_statistics_count(const maskdm_statistics *statistics)
{
    MDM_NEED(statistics);
    return statistics->count;
}

int64_t maskdm_statistics_width(const maskdm_statistics *statistics)
{
    MDM_NEED(statistics);
    return statistics->width;
}

/* MASKDM_ESHAPE for an array of another length. */
static int check_room(const char *function, int64_t count, int64_t wanted)
{
    return count == wanted ? MASKDM_OK
                           : mdm_fail(MASKDM_ESHAPE, "%s: room for %lld numbers, there are %lld", function,
                                      (long long)count, (long long)wanted);
}

int maskdm_statistics_mean(maskdm_statistics *statistics, double *out, int64_t count)
{
    struct mdm_work work = {0};

    MDM_NEED(statistics);
    MDM_NEED_ARRAY(out, count);
    MDM_TRY(check_room(__func__, count, statistics->width));
    MDM_TRY(mdm_work_alone(&work, &statistics->handle));
    return mdm_work_end(&work, mdm_statistics_read(statistics, out, NULL));
}

int maskdm_statistics_covariance(maskdm_statistics *statistics, double *out, int64_t count)
{
    struct mdm_work work = {0};

    MDM_NEED(statistics);
    MDM_NEED_ARRAY(out, count);
    MDM_TRY(check_room(__func__, count, statistics->width * statistics->width));
    MDM_TRY(mdm_work_alone(&work, &statistics->handle));
    return mdm_work_end(&work, mdm_statistics_read(statistics, NULL, out));
}

int maskdm_statistics_save(maskdm_statistics *statistics, const char *path)
{
    struct mdm_work work = {0};

    MDM_NEED(statistics);
    MDM_NEED(path);
    MDM_TRY(mdm_work_alone(&work, &statistics->handle));
    return mdm_work_end(&work, mdm_statistics_save(statistics, path));
}

int maskdm_statistics_distance(maskdm_statistics *statistics, maskdm_statistics *reference, maskdm_control *control,
                               double *out)
{
    struct mdm_work work = {0};

    MDM_NEED(statistics);
    MDM_NEED(reference);
    MDM_NEED(out);
    MDM_TRY(mdm_work_alone(&work, &statistics->handle));
    if (reference != statistics)
        MDM_TRY(mdm_work_alone(&work, &reference->handle));
    MDM_TRY(mdm_work_share(&work, mdm_device_handle(statistics->device)));
    MDM_TRY(mdm_work_share(&work, MDM_HANDLE(control)));
    return mdm_work_end(&work, mdm_statistics_distance(statistics, reference, control, out));
}
