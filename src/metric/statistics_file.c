/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Statistics in files: ours, and "mu" and "sigma" as pytorch-fid and those after it keep them.
 */
#include "metric/statistics.h"

#include "base/alloc.h"
#include "base/error.h"
#include "tensorfile/safetensors.h"
#include "text/number.h"

#include <string.h>

#define KIND "maskdm.kind"
#define COUNT "maskdm.count"
#define FEATURES "maskdm.features"

static const struct {
    const char *mean, *covariance;
} names[] = {{"mean", "covariance"}, {"mu", "sigma"}};

/* Places of both tensors; 1 where both are there. */
static int find_both(const struct mdm_tensorfile *f, int64_t *mean, int64_t *covariance)
{
    for (size_t i = 0; i < MDM_LENGTH(names); i++) {
        *mean = mdm_tensorfile_find(f, names[i].mean);
        *covariance = mdm_tensorfile_find(f, names[i].covariance);
        if (*mean >= 0 && *covariance >= 0)
            return 1;
    }
    return 0;
}

int mdm_statistics_are_in(const struct mdm_tensorfile *f)
{
    int64_t mean, covariance;

    return find_both(f, &mean, &covariance);
}

static int find(const struct mdm_tensorfile *f, int64_t *mean, int64_t *covariance)
{
    if (find_both(f, mean, covariance))
        return MASKDM_OK;
    return mdm_fail(MASKDM_EFORMAT,
                    "it has no tensors \"mu\" and \"sigma\", nor \"mean\" and \"covariance\": these are "
                    "no statistics of features");
}

static int read_count(const struct mdm_tensorfile *f, int64_t *count)
{
    const char *text = mdm_tensorfile_meta(f, COUNT);

    *count = 0;
    if (text && (mdm_parse_i64(text, count) || *count < 0))
        return mdm_fail(MASKDM_EFORMAT, "its count of rows is \"%.40s\"", text);
    return MASKDM_OK;
}

static int read_both(maskdm_statistics **out, maskdm_device *device, struct mdm_tensorfile *f, int64_t mean,
                     int64_t covariance, int64_t count)
{
    const struct mdm_tensorfile_tensor *m = &f->tensor[mean], *c = &f->tensor[covariance];
    const int64_t D = m->elements;
    double *x;
    int status;

    if (m->rank != 1 || c->rank != 2 || c->shape[0] != D || c->shape[1] != D || D < 1 || D > MDM_METRIC_WIDTH)
        return mdm_fail(MASKDM_EFORMAT,
                        "a mean of %lld numbers and a covariance of %lld, for 1 to %d in a row of "
                        "features",
                        (long long)D, (long long)c->elements, MDM_METRIC_WIDTH);
    x = mdm_need((size_t)D + 1, (size_t)D * sizeof *x, "statistics");
    if (!x)
        return MASKDM_ENOMEM;
    status = mdm_tensorfile_read_f64(f, mean, x, D);
    if (status >= 0)
        status = mdm_tensorfile_read_f64(f, covariance, x + D, D * D);
    if (status >= 0)
        status = mdm_statistics_create_from(out, device, count, D, x, x + D);
    mdm_free(x);
    return status;
}

int mdm_statistics_read_file(maskdm_statistics **out, maskdm_device *device, struct mdm_tensorfile *f)
{
    const char *features = mdm_tensorfile_meta(f, FEATURES);
    int64_t mean, covariance, count;

    *out = NULL;
    MDM_TRY(find(f, &mean, &covariance));
    MDM_TRY(read_count(f, &count));
    MDM_TRY(read_both(out, device, f, mean, covariance, count));
    if (features)
        mdm_format((*out)->features, sizeof(*out)->features, "%s", features);
    return MASKDM_OK;
}

int mdm_statistics_load(maskdm_statistics **out, maskdm_device *device, const char *path)
{
    struct mdm_tensorfile f;
    int status;

    *out = NULL;
    MDM_TRY(mdm_tensorfile_open(&f, path));
    status = mdm_statistics_read_file(out, device, &f);
    mdm_tensorfile_close(&f);
    return status < 0 ? mdm_fail_prefix(status, "%s", path) : MASKDM_OK;
}

static int write(struct mdm_safetensors_writer *w, const maskdm_statistics *s, const double *mean,
                 const double *covariance, const char *path)
{
    const int64_t shape[2] = {s->width, s->width};
    char count[24];

    mdm_format(count, sizeof count, "%lld", (long long)s->count);
    MDM_TRY(mdm_safetensors_writer_meta(w, KIND, "statistics"));
    MDM_TRY(mdm_safetensors_writer_meta(w, COUNT, count));
    if (*s->features)
        MDM_TRY(mdm_safetensors_writer_meta(w, FEATURES, s->features));
    MDM_TRY(mdm_safetensors_writer_add(w, names[0].mean, "F64", shape, 1, mean));
    MDM_TRY(mdm_safetensors_writer_add(w, names[0].covariance, "F64", shape, 2, covariance));
    return mdm_safetensors_writer_save(w, path, 1);
}

int mdm_statistics_save(maskdm_statistics *s, const char *path)
{
    const size_t D = (size_t)s->width;
    struct mdm_safetensors_writer *w = NULL;
    double *x = mdm_need(D + 1, D * sizeof *x, "statistics");
    int status = x ? mdm_statistics_read(s, x, x + D) : MASKDM_ENOMEM;

    if (status >= 0)
        status = mdm_safetensors_writer_create(&w);
    if (status >= 0)
        status = write(w, s, x, x + D, path);
    mdm_safetensors_writer_release(&w);
    mdm_free(x);
    return status;
}
