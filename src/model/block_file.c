/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A block of parameters as tensors of a file: PREFIX + NAME each. The first image of a model waits for its weights,
 * so they are read on all threads of the device, in pieces that are still in cache when their values are judged.
 */
#include "model/model.h"

#include "base/error.h"
#include "tensorfile/safetensors.h"

#include <math.h>
#include <string.h>

enum { NAME_LENGTH = 256, PIECE = 1 << 16 /* floats: half of a second-level cache */ };

int mdm_model_write_block(struct mdm_safetensors_writer *w, const struct mdm_params *layout, const char *prefix,
                          const float *block)
{
    char name[NAME_LENGTH];

    for (int i = 0; i < layout->count; i++) {
        const struct mdm_param *p = &layout->list[i];

        mdm_format(name, sizeof name, "%s%s", prefix, p->name);
        MDM_TRY(mdm_safetensors_writer_add(w, name, "F32", p->shape.d, p->shape.n, block + p->at));
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

static int fail_nonfinite(const char *name, const float *x, int64_t n)
{
    int64_t k = 0;

    while (k + 1 < n && isfinite(x[k]))
        k++;
    return mdm_fail(MASKDM_EFORMAT, "tensor \"%s\" holds a value that is not finite at %lld of %lld", name,
                    (long long)k, (long long)n);
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
    struct mdm_tensorfile *s;
    const struct mdm_params *layout;
    const char *prefix;
    float *block;
};

static int read_tensor(void *arg, int64_t i, int worker)
{
    const struct reading *r = arg;
    const struct mdm_param *p = &r->layout->list[i];
    const int64_t count = mdm_shape_numel(&p->shape);
    float *value = r->block + p->at;
    char name[NAME_LENGTH];
    int64_t at, most;

    (void)worker;
    MDM_TRY(find_tensor(r->s, p, r->prefix, name, &at));
    most = r->s->tensor[at].scattered ? count : PIECE;
    for (int64_t k = 0, n; k < count; k += n) {
        n = count - k < most ? count - k : most;
        MDM_TRY(mdm_tensorfile_read_f32_part(r->s, at, k, value + k, n));
        if (!all_finite(value + k, n))
            return fail_nonfinite(name, value, count);
    }
    return MASKDM_OK;
}

int mdm_model_read_block(maskdm_device *device, struct mdm_tensorfile *s, const struct mdm_params *layout,
                         const char *prefix, float *block)
{
    struct mdm_backend *b = mdm_device_backend(device);
    struct reading r = {s, layout, prefix, block};

    MDM_TRY(b->v->loop(b, layout->count, read_tensor, &r));
    mdm_params_clear_gaps(layout, block);
    return MASKDM_OK;
}
