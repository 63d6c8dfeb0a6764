/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rms_modulate: y = x r w (1 + scale) + shift, where scale and shift are columns of the image's row of m. Backward is
 * a norm's whose weight is w (1 + scale), and what that gets is divided among the two.
 */
#include "backend/cuda/norm.cuh"
#include "backend/cuda/table.cuh"

static struct mdm_cuda_norm read_call(const struct mdm_call *c)
{
    struct mdm_cuda_norm j = {};

    j.x = c->in[0];
    j.w = c->in[1];
    j.m = c->in[2];
    j.y = c->out[0];
    j.stats = (float *)c->out[1];
    j.images = c->in_shape[0]->d[0];
    j.tokens = c->in_shape[0]->d[1];
    j.d = c->in_shape[0]->d[2];
    j.width = c->in_shape[2]->d[1];
    j.scale = c->attr[0];
    j.shift = c->attr[1];
    j.epsilon = (float)c->constant[0];
    j.over = 1.0f / (float)j.d;
    j.rms = 1;
    return j;
}

static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    const struct mdm_cuda_norm j = read_call(c);

    return mdm_cuda_norm_forward(mdm_cuda_of(b), c->dtype, &j);
}

static int meet_parts(struct mdm_cuda *d, const struct mdm_call *c, const struct mdm_cuda_norm *j)
{
    const size_t size = c->dtype == MDM_BF16 ? sizeof(mdm_bf16) : sizeof(float);
    struct mdm_cuda_meet weight = {};
    struct mdm_cuda_meet_images rows = {};

    weight.part = rows.part = j->part;
    weight.parts = rows.parts = j->parts;
    weight.d = rows.d = j->d;
    weight.sums = rows.sums = 2;
    weight.width = rows.width = j->width;
    weight.factor = (const char *)j->m + (size_t)j->scale * size;
    weight.dst[0] = (float *)c->din[1];
    weight.add[0] = c->add[1];
    if (c->din[1])
        MDM_CUDA_TRY(mdm_cuda_meet(d, c->dtype, &weight));
    rows.column[0] = j->scale;
    rows.column[1] = j->shift;
    rows.dm = c->din[2];
    rows.add = c->add[2];
    rows.w = j->w;
    return c->din[2] ? mdm_cuda_meet_images(d, c->dtype, &rows) : MASKDM_OK;
}

static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    struct mdm_cuda_norm j = read_call(c);

    if (!c->dout[0])
        return mdm_cuda_clear_gradients(d, c, 0, 2, 1u << 1);
    j.dy = c->dout[0];
    j.dx = c->din[0];
    j.add_x = c->add[0];
    j.part = c->din[1] || c->din[2] ? (float *)c->scratch : NULL;
    j.parts = mdm_cuda_cut(j.images, j.tokens);
    MDM_CUDA_TRY(mdm_cuda_norm_backward(d, c->dtype, &j));
    return j.part ? meet_parts(d, c, &j) : MASKDM_OK;
}

static size_t scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    const int64_t *d = c->in_shape[0]->d;
    const struct mdm_cuda_parts parts = mdm_cuda_cut(d[0], d[1]);

    (void)b;
    return train ? mdm_cuda_parts_bytes(&parts, 2, d[2]) : 0;
}

int mdm_cuda_add_rms_modulate(struct mdm_cuda *d)
{
    for (int i = 0; i < 2; i++) {
        struct mdm_kernel *k = &d->kernel[i][MDM_OP_RMS_MODULATE];

        k->forward = k->remake = forward;
        k->backward = backward;
        k->scratch = scratch;
    }
    return MASKDM_OK;
}
