/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Weights rounded to 16 bits.
 */
#include "model/narrow.h"

#include "base/alloc.h"
#include "base/error.h"
#include "tensorfile/safetensors.h"

#include <math.h>

enum { PIECE = 1 << 14 /* values */, NAME_LENGTH = 256 };

static const struct {
    const char *dtype, *name;
    uint16_t (*round)(float x);
    double largest; /* that is not rounded to infinity, nearly */
} types[] = {{"F32", "float32", NULL, 0},
             {"F16", "float16", mdm_tensorfile_to_f16, 65504},
             {"BF16", "bfloat16", mdm_tensorfile_to_bf16, 0x1.FEp127}};

const char *mdm_narrow_dtype(int i)
{
    return i >= 0 && i < (int)MDM_LENGTH(types) ? types[i].dtype : NULL;
}

/* `bytes` of the file from `data` on, which is half as far from the block's beginning as the values are. */
static int read_rounded(void *user, void *out, const void *data, size_t bytes)
{
    const struct mdm_narrow *n = user;
    const size_t from = (size_t)((const char *)data - n->block) / sizeof(uint16_t), count = bytes / sizeof(uint16_t);
    uint16_t *to = out;

    for (size_t k = 0, now; k < count; k += now) {
        now = count - k < PIECE ? count - k : PIECE;
        MDM_TRY(mdm_device_download(n->device, n->piece, (const float *)n->block + from + k, now * sizeof(float)));
        for (size_t i = 0; i < now; i++)
            to[k + i] = n->round(n->piece[i]);
    }
    return MASKDM_OK;
}

int mdm_narrow_begin(struct mdm_narrow *n, maskdm_device *device, const float *block, int dtype)
{
    *n = (struct mdm_narrow){.source = mdm_model_source(device),
                             .dtype = types[dtype].dtype,
                             .device = device,
                             .block = (const char *)block,
                             .round = types[dtype].round};
    if (!n->round)
        return MASKDM_OK;
    n->source = (struct mdm_tensorfile_source){read_rounded, n};
    n->piece = mdm_need_aligned(PIECE * sizeof *n->piece, "rounding weights");
    return n->piece ? MASKDM_OK : MASKDM_ENOMEM;
}

void mdm_narrow_end(struct mdm_narrow *n)
{
    mdm_free(n->piece);
    n->piece = NULL;
}

const void *mdm_narrow_place(const struct mdm_narrow *n, size_t at)
{
    return n->block + at * (n->round ? sizeof(uint16_t) : sizeof(float));
}

static int fail_large(const struct mdm_narrow *n, const char *name, float x, int64_t at, int64_t count)
{
    int t = 0;

    while (types[t].round != n->round)
        t++;
    return mdm_fail(MASKDM_EINVAL, "tensor \"%s\" holds %g at %lld of %lld, which %s, up to %g, makes infinite", name,
                    (double)x, (long long)at, (long long)count, types[t].name, types[t].largest);
}

/* Both forms have all ones in the exponent of infinity. */
static int is_infinite(const struct mdm_narrow *n, uint16_t half)
{
    const uint16_t exponent = n->round == mdm_tensorfile_to_f16 ? 0x7C00 : 0x7F80;

    return (half & exponent) == exponent;
}

static int check_tensor(const struct mdm_narrow *n, const struct mdm_param *p)
{
    const int64_t count = mdm_shape_numel(&p->shape);

    for (int64_t k = 0, now; k < count; k += now) {
        now = count - k < PIECE ? count - k : PIECE;
        MDM_TRY(mdm_device_download(n->device, n->piece, (const float *)n->block + p->at + (size_t)k,
                                    (size_t)now * sizeof(float)));
        for (int64_t i = 0; i < now; i++)
            if (is_infinite(n, n->round(n->piece[i])))
                return fail_large(n, p->name, n->piece[i], k + i, count);
    }
    return MASKDM_OK;
}

int mdm_narrow_check(const struct mdm_narrow *n, const struct mdm_params *layout)
{
    for (int i = 0; n->round && i < layout->count; i++)
        MDM_TRY(check_tensor(n, &layout->list[i]));
    return MASKDM_OK;
}

int mdm_narrow_write(const struct mdm_narrow *n, struct mdm_safetensors_writer *w, const struct mdm_params *layout,
                     const char *prefix)
{
    char name[NAME_LENGTH];

    for (int i = 0; i < layout->count; i++) {
        const struct mdm_param *p = &layout->list[i];

        mdm_format(name, sizeof name, "%s%s", prefix, p->name);
        MDM_TRY(mdm_safetensors_writer_add_from(w, name, n->dtype, p->shape.d, p->shape.n, mdm_narrow_place(n, p->at),
                                                &n->source));
    }
    return MASKDM_OK;
}
