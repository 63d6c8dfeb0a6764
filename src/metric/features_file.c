/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Features in files: ours, and the arrays that other programs keep theirs in.
 */
#include "metric/features.h"

#include "base/error.h"
#include "tensorfile/safetensors.h"


#define KIND "maskdm.kind"
#define NETWORK "maskdm.features"
#define ROWS "features"

/* The tensor of that name, or the only one that there is. */
static int64_t find(const struct mdm_tensorfile *f)
{
    const int64_t i = mdm_tensorfile_find(f, ROWS);

    return i < 0 && f->count == 1 ? 0 : i;
}

int mdm_features_are_in(const struct mdm_tensorfile *f)
{
    const int64_t i = find(f);

    return i >= 0 && f->tensor[i].rank == 2;
}

static int read_rows(maskdm_features *f, struct mdm_tensorfile *file, int64_t tensor)
{
    const int64_t count = file->tensor[tensor].shape[0];
    const char *network = mdm_tensorfile_meta(file, NETWORK);

    MDM_TRY(mdm_features_reserve(f, count));
    if (count)
        MDM_TRY(mdm_tensorfile_read_f32(file, tensor, f->row, count * f->width));
    f->count = count;
    if (network)
        mdm_format(f->name, sizeof f->name, "%s", network);
    return mdm_rows_check(f->row, count, f->width, 0, MASKDM_EFORMAT);
}

int mdm_features_read(maskdm_features **out, maskdm_device *device, struct mdm_tensorfile *file)
{
    const int64_t i = find(file);
    const struct mdm_tensorfile_tensor *t = i < 0 ? NULL : &file->tensor[i];
    int status;

    *out = NULL;
    if (!t || t->rank != 2)
        return mdm_fail(MASKDM_EFORMAT,
                        "it has no tensor \"" ROWS "\" of a row for each image: these are no features");
    if (t->shape[0] > INT32_MAX || t->shape[1] < 1 || t->shape[1] > MDM_METRIC_WIDTH)
        return mdm_fail(MASKDM_EFORMAT, "%lld rows of %lld features are not at most %d of 1 .. %d",
                        (long long)t->shape[0], (long long)t->shape[1], INT32_MAX, MDM_METRIC_WIDTH);
    MDM_TRY(mdm_features_create(out, device, t->shape[1]));
    status = read_rows(*out, file, i);
    if (status < 0)
        mdm_features_drop(out);
    return status;
}

int mdm_features_load(maskdm_features **out, maskdm_device *device, const char *path)
{
    struct mdm_tensorfile f;
    int status;

    *out = NULL;
    MDM_TRY(mdm_tensorfile_open(&f, path));
    status = mdm_features_read(out, device, &f);
    mdm_tensorfile_close(&f);
    return status < 0 ? mdm_fail_prefix(status, "%s", path) : MASKDM_OK;
}

int mdm_features_save(const maskdm_features *f, const char *path)
{
    const int64_t shape[2] = {f->count, f->width};
    struct mdm_safetensors_writer *w;
    int status;

    MDM_TRY(mdm_safetensors_writer_create(&w));
    status = mdm_safetensors_writer_meta(w, KIND, "features");
    if (status >= 0 && *f->name)
        status = mdm_safetensors_writer_meta(w, NETWORK, f->name);
    if (status >= 0)
        status = mdm_safetensors_writer_add(w, ROWS, "F32", shape, 2, f->row);
    if (status >= 0)
        status = mdm_safetensors_writer_save(w, path, 1);
    mdm_safetensors_writer_release(&w);
    return status;
}
