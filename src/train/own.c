/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An optimizer of parameters that are no network's here: it has weights and gradients of its own, which the host
 * fills and reads.
 */
#include "train/optimizer.h"

#include "base/error.h"

#include <string.h>

/* Up to a 0. */
static int read_shape(struct mdm_shape *out, const char *name, const int64_t *shape)
{
    *out = (struct mdm_shape){.n = 0};
    while (out->n < MDM_MAX_DIM && shape[out->n] > 0) {
        out->d[out->n] = shape[out->n];
        out->n++;
    }
    if (!out->n || (out->n < MDM_MAX_DIM && shape[out->n] < 0))
        return mdm_fail(MASKDM_ESHAPE, "parameter \"%.80s\" has a dimension of %lld", name, (long long)shape[out->n]);
    return MASKDM_OK;
}

static int check_parts(const struct mdm_param *p, int64_t parts)
{
    if (parts < 0 || (parts > 0 && (p->shape.n < 2 || p->shape.d[0] % parts)))
        return mdm_fail(MASKDM_ESHAPE,
                        "parameter \"%s\" of %d dimension%s, the first of %lld, makes no %lld matrices", p->name,
                        p->shape.n, p->shape.n == 1 ? "" : "s", (long long)p->shape.d[0], (long long)parts);
    return MASKDM_OK;
}

static int declare(struct mdm_params *l, const char *name, const int64_t *shape, int32_t parts)
{
    struct mdm_shape s;
    int at;

    if (!name || !*name)
        return mdm_fail(MASKDM_EINVAL, "parameter %d has no name", l->count);
    if (mdm_params_find(l, name) >= 0)
        return mdm_fail(MASKDM_EINVAL, "two parameters have the name \"%.80s\"", name);
    MDM_TRY(read_shape(&s, name, shape));
    at = mdm_params_declare(l, name, &s, MDM_INIT_ZERO, 0);
    if (at < 0)
        return at;
    MDM_TRY(check_parts(&l->list[at], parts));
    l->list[at].parts = parts;
    return MASKDM_OK;
}

static int take_blocks(struct mdm_own *own, maskdm_device *device)
{
    float **const block[] = {&own->weights, &own->gradients};

    for (size_t i = 0; i < MDM_LENGTH(block); i++) {
        void *memory;

        MDM_TRY(mdm_device_alloc(device, &memory, own->layout.length * sizeof(float), 1, "an optimizer's weights"));
        *block[i] = memory;
    }
    return MASKDM_OK;
}

static int fill(const struct mdm_own *own, maskdm_device *device, const float *const *weights)
{
    for (int i = 0; weights && i < own->layout.count; i++) {
        const struct mdm_param *p = &own->layout.list[i];

        if (weights[i])
            MDM_TRY(mdm_device_upload(device, own->weights + p->at, weights[i],
                                      (size_t)mdm_shape_numel(&p->shape) * sizeof *weights[i]));
    }
    return MASKDM_OK;
}

static int bind(maskdm_optimizer *o, maskdm_device *device, const float *const *weights)
{
    MDM_TRY(take_blocks(&o->own, device));
    MDM_TRY(fill(&o->own, device, weights));
    return mdm_optimizer_bind(o, NULL, device, &o->own.layout, o->own.weights, o->own.gradients);
}

int mdm_optimizer_bind_own(maskdm_optimizer *o, maskdm_device *device, int64_t count, const char *const *names,
                           const int64_t *shapes, const int32_t *matrices, const float *const *weights)
{
    int status = MASKDM_OK;

    if (o->device)
        return mdm_fail(MASKDM_EINVAL, "the optimizer is bound already");
    if (count < 1)
        return mdm_fail(MASKDM_EINVAL, "an optimizer of %lld parameters", (long long)count);
    for (int64_t i = 0; i < count && status == MASKDM_OK; i++)
        status = declare(&o->own.layout, names[i], shapes + i * MDM_MAX_DIM, matrices ? matrices[i] : 0);
    if (status == MASKDM_OK)
        status = bind(o, device, weights);
    if (status < 0)
        mdm_own_free(&o->own, device);
    return status;
}
