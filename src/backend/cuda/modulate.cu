/* SPDX-License-Identifier: BSD-2-Clause
 *
 * modulate: y = norm(x) (1 + scale) + shift, where scale and shift are columns of the image's row of m.
 */
#include "backend/cuda/columns.cuh"
#include "backend/cuda/norm.cuh"
#include "backend/cuda/table.cuh"

static struct mdm_cuda_norm read_call(const struct mdm_call *c)
{
    struct mdm_cuda_norm j = {};

    j.x = c->in[0];
    j.m = c->in[1];
    j.y = c->out[0];
    j.stats = (float *)c->out[1];
    j.images = c->in_shape[0]->d[0];
    j.tokens = c->in_shape[0]->d[1];
    j.d = c->in_shape[0]->d[2];
    j.width = c->in_shape[1]->d[1];
    j.scale = c->attr[0];
    j.shift = c->attr[1];
    j.epsilon = (float)c->constant[0];
    j.over = 1.0f / (float)j.d;
    return j;
}

static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    const struct mdm_cuda_norm j = read_call(c);

    return mdm_cuda_norm_forward(mdm_cuda_of(b), c->dtype, &j);
}

static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    struct mdm_cuda_norm j = read_call(c);
    struct mdm_cuda_meet_images rows = {};

    if (!c->dout[0])
        return mdm_cuda_clear_gradients(d, c, 0, 1, 0);
    j.dy = c->dout[0];
    j.dx = c->din[0];
    j.add_x = c->add[0];
    rows.part = j.part = c->din[1] ? (float *)c->scratch : NULL;
    rows.parts = j.parts = mdm_cuda_cut(j.images, j.tokens);
    MDM_CUDA_TRY(mdm_cuda_norm_backward(d, c->dtype, &j));
    rows.d = j.d;
    rows.width = j.width;
    rows.column[0] = j.scale;
    rows.column[1] = j.shift;
    rows.sums = 2;
    rows.dm = c->din[1];
    rows.add = c->add[1];
    return c->din[1] ? mdm_cuda_meet_images(d, c->dtype, &rows) : MASKDM_OK;
}

static size_t scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    const int64_t *d = c->in_shape[0]->d;
    const struct mdm_cuda_parts parts = mdm_cuda_cut(d[0], d[1]);

    (void)b;
    return train ? mdm_cuda_parts_bytes(&parts, 2, d[2]) : 0;
}

int mdm_cuda_add_modulate(struct mdm_cuda *d)
{
    for (int i = 0; i < 2; i++) {
        struct mdm_kernel *k = &d->kernel[i][MDM_OP_MODULATE];

        k->forward = k->remake = forward;
        k->backward = backward;
        k->scratch = scratch;
    }
    return mdm_cuda_add_gate(d);
}
