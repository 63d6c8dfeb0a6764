/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Weights rounded to 16 bits.
 */
#include "model/narrow.h"

#include "base/alloc.h"
#include "base/error.h"
#include "tensorfile/safetensors.h"

enum { PIECE = 1 << 14 /* values */, NAME_LENGTH = 256 };

const char *mdm_narrow_dtype(int i)
{
    const struct mdm_rounding *r = mdm_rounding(i - 1);

    return i == 0 ? "F32" : r ? r->dtype : NULL;
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
            to[k + i] = n->rounding->round(n->piece[i]);
    }
    return MASKDM_OK;
}

int mdm_narrow_begin(struct mdm_narrow *n, maskdm_device *device, const float *block, int dtype)
{
    *n = (struct mdm_narrow){.source = mdm_model_source(device),
                             .dtype = mdm_narrow_dtype(dtype),
                             .device = device,
                             .block = (const char *)block,
                             .rounding = mdm_rounding(dtype - 1)};
    if (!n->rounding)
        return MASKDM_OK;
    n->source = (struct mdm_tensorfile_source){read_rounded, n};
    n->piece = mdm_need_aligned(PIECE * (sizeof *n->piece + sizeof(uint16_t)), "rounding weights");
    return n->piece ? MASKDM_OK : MASKDM_ENOMEM;
}

void mdm_narrow_end(struct mdm_narrow *n)
{
    mdm_free(n->piece);
    n->piece = NULL;
}

const void *mdm_narrow_place(const struct mdm_narrow *n, size_t at)
{
    return n->block + at * (n->rounding ? sizeof(uint16_t) : sizeof(float));
}

static int check_tensor(const struct mdm_narrow *n, const struct mdm_param *p)
{
    const int64_t count = mdm_shape_numel(&p->shape);

    for (int64_t k = 0, now; k < count; k += now) {
        now = count - k < PIECE ? count - k : PIECE;
        MDM_TRY(mdm_device_download(n->device, n->piece, (const float *)n->block + p->at + (size_t)k,
                                    (size_t)now * sizeof(float)));
        MDM_TRY(mdm_rounding_apply(n->rounding, (uint16_t *)(n->piece + PIECE), p->name, n->piece, now, k, count));
    }
    return MASKDM_OK;
}

int mdm_narrow_check(const struct mdm_narrow *n, const struct mdm_params *layout)
{
    for (int i = 0; n->rounding && i < layout->count; i++)
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
