/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A block of parameters as tensors of a file: PREFIX + NAME each. The first image of a model waits for its weights,
 * so they are read on all threads of the device, in pieces that are still in cache when their values are judged.
 */
#include "model/model.h"

#include "base/alloc.h"
#include "base/error.h"
#include "tensorfile/safetensors.h"

#include <math.h>
#include <string.h>

enum { NAME_LENGTH = 256, PIECE = 1 << 14 /* floats: still in cache when they are uploaded */ };

static int read_device(void *device, void *out, const void *data, size_t bytes)
{
    return mdm_device_download(device, out, data, bytes);
}

struct mdm_tensorfile_source mdm_model_source(maskdm_device *device)
{
    return (struct mdm_tensorfile_source){read_device, device};
}

int mdm_model_write_block(struct mdm_safetensors_writer *w, const struct mdm_tensorfile_source *source,
                          const struct mdm_params *layout, const char *prefix, const float *block)
{
    char name[NAME_LENGTH];

    for (int i = 0; i < layout->count; i++) {
        const struct mdm_param *p = &layout->list[i];

        mdm_format(name, sizeof name, "%s%s", prefix, p->name);
        MDM_TRY(mdm_safetensors_writer_add_from(w, name, "F32", p->shape.d, p->shape.n, block + p->at, source));
    }
    return MASKDM_OK;
}

static void describe(char *out, size_t capacity, const int64_t *shape, int rank)
{
    mdm_format(out, capacity, "[");
    for (int i = 0; i < rank; i++)
        mdm_format(out + strlen(out), capacity - strlen(out), i ? ",%lld" : "%lld", (long long)shape[i]);
    mdm_format(out + strlen(out), capacity - strlen(out), "]");
}

static int check_shape(const struct mdm_tensorfile_tensor *t, const struct mdm_shape *shape)
{
    char found[128], wanted[128];
    int same = t->rank == shape->n;

    for (int i = 0; same && i < t->rank; i++)
        same = t->shape[i] == shape->d[i];
    if (same)
        return MASKDM_OK;
    describe(found, sizeof found, t->shape, t->rank);
    describe(wanted, sizeof wanted, shape->d, shape->n);
    return mdm_fail(MASKDM_EFORMAT, "tensor \"%s\" has shape %s, the network needs %s", t->name, found, wanted);
}

/* The largest magnitude's bits tell, lane by lane, so that a compiler makes vectors of it. */
static int all_finite(const float *x, int64_t n)
{
    enum { LANES = 16 };
    const int32_t infinite = 0x7f800000;
    int32_t top[LANES] = {0}, bits[LANES], worst = 0;
    int64_t k = 0;

    for (; k + LANES <= n; k += LANES) {
        memcpy(bits, x + k, sizeof bits);
        for (int j = 0; j < LANES; j++) {
            bits[j] &= INT32_MAX;
            top[j] = bits[j] > top[j] ? bits[j] : top[j];
        }
    }
    for (int j = 0; j < LANES; j++)
        worst = top[j] > worst ? top[j] : worst;
    for (; k < n; k++)
        if (!isfinite(x[k]))
            return 0;
    return worst < infinite;
}

/* x: what follows the first `before` of `count` values, which are finite. */
static int fail_nonfinite(const char *name, const float *x, int64_t n, int64_t before, int64_t count)
{
    int64_t k = 0;

    while (k + 1 < n && isfinite(x[k]))
        k++;
    return mdm_fail(MASKDM_EFORMAT, "tensor \"%s\" holds a value that is not finite at %lld of %lld", name,
                    (long long)(before + k), (long long)count);
}

/* The tensor of parameter p, whose shape is the network's. */
static int find_tensor(const struct mdm_tensorfile *s, const struct mdm_param *p, const char *prefix,
                       char name[NAME_LENGTH], int64_t *at)
{
    mdm_format(name, NAME_LENGTH, "%s%s", prefix, p->name);
    *at = mdm_tensorfile_find(s, name);
    if (*at < 0)
        return mdm_fail(MASKDM_EFORMAT, "tensor \"%s\" of the network is missing", name);
    return check_shape(&s->tensor[*at], &p->shape);
}

int mdm_model_check_block(const struct mdm_tensorfile *s, const struct mdm_params *layout, const char *prefix)
{
    char name[NAME_LENGTH];
    int64_t at;

    for (int i = 0; i < layout->count; i++)
        MDM_TRY(find_tensor(s, &layout->list[i], prefix, name, &at));
    return MASKDM_OK;
}

struct reading {
    maskdm_device *device;
    struct mdm_tensorfile *s;
    const struct mdm_params *layout;
    const char *prefix;
    float *block;
    float *piece; /* PIECE values of every worker */
};

/* Parameter i, `most` values at a time. */
static int read_pieces(const struct reading *r, int64_t i, float *piece, int64_t most)
{
    const struct mdm_param *p = &r->layout->list[i];
    const int64_t count = mdm_shape_numel(&p->shape);
    char name[NAME_LENGTH];
    int64_t at;

    MDM_TRY(find_tensor(r->s, p, r->prefix, name, &at));
    for (int64_t k = 0, n; k < count; k += n) {
        n = count - k < most ? count - k : most;
        MDM_TRY(mdm_tensorfile_read_f32_part(r->s, at, k, piece, n));
        if (!all_finite(piece, n))
            return fail_nonfinite(name, piece, n, k, count);
        MDM_TRY(mdm_model_put(r->device, p, r->block, k, piece, n));
    }
    return MASKDM_OK;
}

/* A scattered tensor is gathered as a whole, whatever is asked of it, so that it is asked for once. */
static int read_tensor(void *arg, int64_t i, int worker)
{
    const struct reading *r = arg;
    const struct mdm_param *p = &r->layout->list[i];
    const int64_t count = mdm_shape_numel(&p->shape);
    char name[NAME_LENGTH];
    int64_t at;
    float *whole;
    int status;

    MDM_TRY(find_tensor(r->s, p, r->prefix, name, &at));
    if (!r->s->tensor[at].scattered || count <= PIECE)
        return read_pieces(r, i, r->piece + (int64_t)worker * PIECE, PIECE);
    whole = mdm_need_aligned((size_t)count * sizeof *whole, "a tensor that is gathered");
    status = whole ? read_pieces(r, i, whole, count) : MASKDM_ENOMEM;
    mdm_free(whole);
    return status;
}

int mdm_model_read_tensors(maskdm_device *device, struct mdm_tensorfile *s, const struct mdm_params *layout,
                           const char *prefix, float *block)
{
    const size_t piece = (size_t)mdm_device_workers(device) * PIECE * sizeof *block;
    struct reading r = {device, s, layout, prefix, block, NULL};
    int status;

    r.piece = mdm_need_aligned(piece, "reading weights");
    status = r.piece ? mdm_device_loop(device, layout->count, read_tensor, &r) : MASKDM_ENOMEM;
    mdm_free(r.piece);
    return status;
}

int mdm_model_read_block(maskdm_device *device, struct mdm_tensorfile *s, const struct mdm_params *layout,
                         const char *prefix, float *block)
{
    MDM_TRY(mdm_model_read_tensors(device, s, layout, prefix, block));
    return mdm_model_clear_gaps(device, layout, block);
}
