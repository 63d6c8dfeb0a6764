/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows in one piece that grows.
 */
#include "metric/features.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"

#include <string.h>

static void destroy(void *object)
{
    maskdm_features *f = object;

    mdm_free(f->row);
    mdm_device_drop(&f->device);
    mdm_free(f);
}

static const struct mdm_handle_kind kind = {"features", destroy};

void mdm_features_drop(maskdm_features **out)
{
    maskdm_features *f = *out;

    *out = NULL;
    if (f)
        mdm_handle_drop(&f->handle);
}

int mdm_features_create(maskdm_features **out, maskdm_device *device, int64_t width)
{
    maskdm_features *f;

    *out = NULL;
    if (width < 1 || width > MDM_METRIC_WIDTH)
        return mdm_fail(MASKDM_EINVAL, "features of %lld numbers are outside 1 .. %d", (long long)width,
                        MDM_METRIC_WIDTH);
    f = mdm_need(1, sizeof *f, "features");
    if (!f)
        return MASKDM_ENOMEM;
    mdm_handle_init(&f->handle, &kind);
    mdm_device_hold(device);
    f->device = device;
    f->width = width;
    *out = f;
    return MASKDM_OK;
}

int mdm_features_reserve(maskdm_features *f, int64_t count)
{
    int64_t wanted, doubled;
    size_t bytes;
    float *row;

    if (mdm_add_i64(&wanted, f->count, count) || wanted > INT32_MAX)
        return mdm_fail(MASKDM_EINVAL, "%lld rows of features and %lld more are above %d", (long long)f->count,
                        (long long)count, INT32_MAX);
    if (wanted <= f->room)
        return MASKDM_OK;
    doubled = f->room ? 2 * f->room : wanted;
    if (doubled < wanted)
        doubled = wanted;
    if (mdm_mul_size(&bytes, (size_t)doubled, (size_t)f->width * sizeof *row))
        return mdm_fail_memory(SIZE_MAX, "features");
    row = mdm_realloc(f->row, bytes);
    if (!row)
        return mdm_fail_memory(bytes, "features");
    f->row = row;
    f->room = doubled;
    return MASKDM_OK;
}

int mdm_features_add(maskdm_features *f, int64_t count, const float *rows)
{
    MDM_TRY(mdm_features_reserve(f, count));
    MDM_TRY(mdm_rows_check(rows, count, f->width, f->count, MASKDM_ENONFINITE));
    if (count)
        memcpy(f->row + f->count * f->width, rows, (size_t)(count * f->width) * sizeof *rows);
    f->count += count;
    return MASKDM_OK;
}

static int fetch_all(maskdm_features *f, int64_t count, maskdm_features_callback fetch, void *user,
                     maskdm_control *control)
{
    float *rows = mdm_need(MDM_FEATURES_AT_ONCE, (size_t)f->width * sizeof *rows, "a block of features");
    int status = rows ? mdm_features_reserve(f, count) : MASKDM_ENOMEM;

    while (f->count < count && status >= 0) {
        const int64_t left = count - f->count, n = left < MDM_FEATURES_AT_ONCE ? left : MDM_FEATURES_AT_ONCE;
        struct maskdm_progress progress = mdm_progress_blank();

        if (fetch(user, f->count, n, rows))
            status = mdm_fail(MASKDM_ECANCELED, "the host's features stopped at row %lld", (long long)f->count);
        if (status >= 0)
            status = mdm_features_add(f, n, rows);
        progress.step = f->count;
        progress.steps = count;
        mdm_control_report(control, &progress);
        if (status >= 0)
            status = mdm_control_check(control, "taking features");
    }
    mdm_free(rows);
    return status;
}

int mdm_features_create_callback(maskdm_features **out, maskdm_device *device, int64_t count, int64_t width,
                                 maskdm_features_callback fetch, void *user, maskdm_control *control)
{
    int status;

    MDM_TRY(mdm_features_create(out, device, width));
    status = fetch_all(*out, count, fetch, user, control);
    if (status < 0)
        mdm_features_drop(out);
    return status;
}

int mdm_features_check(const maskdm_features *a, const maskdm_features *b, int64_t least, const char *what)
{
    const int64_t fewer = a->count < b->count ? a->count : b->count;

    if (a->width != b->width)
        return mdm_fail(MASKDM_ESHAPE, "features of %lld numbers against features of %lld", (long long)a->width,
                        (long long)b->width);
    if (*a->name && *b->name && strcmp(a->name, b->name))
        return mdm_fail(MASKDM_EINVAL, "features of %s against features of %s", a->name, b->name);
    if (fewer < least)
        return mdm_fail(MASKDM_EINVAL,
                        "%s takes at least %lld rows of features on either side, there are %lld and %lld", what,
                        (long long)least, (long long)a->count, (long long)b->count);
    return MASKDM_OK;
}

struct mdm_rows mdm_features_rows(const maskdm_features *f)
{
    return (struct mdm_rows){.single = f->row, .row = f->width, .step = 1};
}

int mdm_features_statistics(maskdm_statistics **out, const maskdm_features *f, maskdm_control *control)
{
    int status;

    MDM_TRY(mdm_statistics_create(out, f->device, f->width));
    status = mdm_statistics_add_chosen(*out, f->count, NULL, f->row, control);
    if (status < 0)
        mdm_statistics_drop(out);
    else
        memcpy((*out)->features, f->name, sizeof f->name);
    return status;
}
