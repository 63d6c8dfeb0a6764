/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Weights of feature networks in files. pytorch-fid's checkpoint has a convolution and its batch norm apart; here the
 * norm is folded into weight and bias, in double.
 */
#include "metric/extractor.h"

#include "base/alloc.h"
#include "base/error.h"
#include "tensorfile/safetensors.h"

#include <math.h>
#include <string.h>

#define KIND "maskdm.kind"
#define NETWORK "maskdm.features"
#define EPSILON 0.001 /* of its batch norms */

enum { NAME = 128 };

int mdm_extractor_is_inception(const struct mdm_tensorfile *f)
{
    return mdm_tensorfile_find(f, "Mixed_7c.branch_pool.conv.weight") >= 0;
}

/* Index of tensor `name` of that shape, or EFORMAT with both. */
static int64_t find(const struct mdm_tensorfile *f, const char *name, const struct mdm_shape *shape)
{
    const int64_t i = mdm_tensorfile_find(f, name);
    const struct mdm_tensorfile_tensor *t = i < 0 ? NULL : &f->tensor[i];

    if (!t)
        return mdm_fail(MASKDM_EFORMAT, "there is no tensor \"%s\", which Inception-v3 has", name);
    for (int d = 0; d < shape->n; d++)
        if (t->rank != shape->n || t->shape[d] != shape->d[d])
            return mdm_fail(MASKDM_EFORMAT, "tensor \"%s\" has %d dimensions, of which %lld is %lld, not %d and %lld",
                            name, t->rank, (long long)d, (long long)(d < t->rank ? t->shape[d] : 0), shape->n,
                            (long long)shape->d[d]);
    return i;
}

static int read(struct mdm_tensorfile *f, const char *name, const struct mdm_shape *shape, float *out)
{
    const int64_t i = find(f, name, shape), n = mdm_shape_numel(shape);

    MDM_TRY((int)(i < 0 ? i : 0));
    MDM_TRY(mdm_tensorfile_read_f32(f, i, out, n));
    for (int64_t k = 0; k < n; k++)
        if (!isfinite(out[k]))
            return mdm_fail(MASKDM_EFORMAT, "element %lld of tensor \"%s\" is %g", (long long)k, name,
                            (double)out[k]);
    return MASKDM_OK;
}

/* ---- folding ---- */

enum { GAMMA, BETA, MEAN, VARIANCE, NORMS };

/* Weight and bias of module `name` (of n letters) from its convolution and norm. */
static int fold(struct mdm_tensorfile *f, const char *name, size_t n, const struct mdm_shape *shape, float *weight,
                float *bias)
{
    static const char *const ends[NORMS] = {"bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"};
    const struct mdm_shape made = mdm_shape1(shape->d[0]);
    const int64_t each = mdm_shape_numel(shape) / shape->d[0];
    char full[NAME];
    float *norm = mdm_need((size_t)made.d[0], NORMS * sizeof *norm, "a batch norm");
    int status = norm ? MASKDM_OK : MASKDM_ENOMEM;

    mdm_format(full, sizeof full, "%.*s.conv.weight", (int)n, name);
    if (status >= 0)
        status = read(f, full, shape, weight);
    for (int k = 0; k < NORMS && status >= 0; k++) {
        mdm_format(full, sizeof full, "%.*s.%s", (int)n, name, ends[k]);
        status = read(f, full, &made, norm + k * made.d[0]);
    }
    for (int64_t o = 0; o < made.d[0] && status >= 0; o++) {
        const double variance = (double)norm[VARIANCE * made.d[0] + o];
        const double scale = (double)norm[GAMMA * made.d[0] + o] / sqrt(variance + EPSILON);

        if (variance < 0)
            status = mdm_fail(MASKDM_EFORMAT, "element %lld of tensor \"%s\" is a variance of %g", (long long)o, full,
                              variance);
        for (int64_t i = 0; i < each; i++)
            weight[o * each + i] = (float)((double)weight[o * each + i] * scale);
        bias[o] = (float)((double)norm[BETA * made.d[0] + o] - (double)norm[MEAN * made.d[0] + o] * scale);
    }
    mdm_free(norm);
    return status;
}

/* Parameters come in pairs, "X.weight" and "X.bias". */
static int fold_all(struct mdm_tensorfile *f, const struct mdm_params *p, float *block)
{
    for (int i = 0; i + 1 < p->count; i += 2) {
        const struct mdm_param *w = &p->list[i];

        MDM_TRY(fold(f, w->name, strlen(w->name) - strlen(".weight"), &w->shape, block + w->at,
                     block + p->list[i + 1].at));
    }
    return MASKDM_OK;
}

static int save(const maskdm_extractor *e, const float *block, const char *out)
{
    struct mdm_safetensors_writer *w;
    int status;

    MDM_TRY(mdm_safetensors_writer_create(&w));
    status = mdm_safetensors_writer_meta(w, KIND, "extractor");
    if (status >= 0)
        status = mdm_safetensors_writer_meta(w, NETWORK, e->kind->name);
    for (int i = 0; i < e->layout.count && status >= 0; i++) {
        const struct mdm_param *p = &e->layout.list[i];

        status = mdm_safetensors_writer_add(w, p->name, "F32", p->shape.d, p->shape.n, block + p->at);
    }
    if (status >= 0)
        status = mdm_safetensors_writer_save(w, out, 1);
    mdm_safetensors_writer_release(&w);
    return status;
}

static int convert(struct mdm_tensorfile *f, maskdm_device *device, const char *out)
{
    maskdm_extractor *e;
    float *block;
    int status;

    MDM_TRY(mdm_extractor_shell(&e, device, &mdm_extractor_inception));
    block = mdm_need(e->layout.length, sizeof *block, "the weights of features");
    status = block ? fold_all(f, &e->layout, block) : MASKDM_ENOMEM;
    if (status >= 0)
        status = save(e, block, out);
    mdm_free(block);
    mdm_extractor_drop(&e);
    return status;
}

int mdm_extractor_convert(struct mdm_tensorfile *f, const char *out, const struct mdm_log *log)
{
    maskdm_device *device;
    int status;

    MDM_TRY(mdm_backend_open(&device, "cpu", NULL, NULL, 0, NULL));
    status = convert(f, device, out);
    mdm_device_drop(&device);
    if (status >= 0)
        mdm_log_line(log, MASKDM_LOG_INFO,
                     "Inception-v3 for features: its batch norms are folded, its classifier is left out");
    return status;
}

/* ---- loading ---- */

static int check(const struct mdm_tensorfile *f)
{
    const char *kind = mdm_tensorfile_meta(f, KIND), *network = mdm_tensorfile_meta(f, NETWORK);

    if (mdm_extractor_is_inception(f))
        return mdm_fail(MASKDM_EFORMAT,
                        "pytorch-fid's own weights; maskdm convert makes a file of them that is read");
    if (!kind || strcmp(kind, "extractor") || !network)
        return mdm_fail(MASKDM_EFORMAT, "no weights of a feature network");
    if (strcmp(network, mdm_extractor_inception.name))
        return mdm_fail(MASKDM_EFORMAT, "weights of feature network \"%.40s\", which is not known; %s is", network,
                        mdm_extractor_inception.name);
    return MASKDM_OK;
}

static int read_all(maskdm_extractor *e, struct mdm_tensorfile *f)
{
    float *block = mdm_need(e->layout.length, sizeof *block, "the weights of features");
    int status = block ? MASKDM_OK : MASKDM_ENOMEM;

    for (int i = 0; i < e->layout.count && status >= 0; i++) {
        const struct mdm_param *p = &e->layout.list[i];

        status = read(f, p->name, &p->shape, block + p->at);
    }
    if (status >= 0)
        status = mdm_extractor_fill(e, block);
    mdm_free(block);
    return status;
}

int mdm_extractor_load(maskdm_extractor **out, maskdm_device *device, const char *path)
{
    struct mdm_tensorfile f;
    int status;

    *out = NULL;
    MDM_TRY(mdm_tensorfile_open(&f, path));
    status = check(&f);
    if (status >= 0)
        status = mdm_extractor_shell(out, device, &mdm_extractor_inception);
    if (status >= 0)
        status = read_all(*out, &f);
    mdm_tensorfile_close(&f);
    if (status >= 0)
        return MASKDM_OK;
    mdm_extractor_drop(out);
    return mdm_fail_prefix(status, "%s", path);
}
