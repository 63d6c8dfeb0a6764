/* SPDX-License-Identifier: BSD-2-Clause
 *
 * layernorm and add_norm, which normalises the sum of its first two inputs. add_norm's backward reads the sum, not
 * its terms.
 */
#include "backend/cuda/norm.cuh"
#include "backend/cuda/table.cuh"

/* `sum` is 1 where r and the sum stand among inputs and outputs. */
static struct mdm_cuda_norm read_call(const struct mdm_call *c, int sum)
{
    struct mdm_cuda_norm j = {};

    j.x = c->in[0];
    j.r = sum ? c->in[1] : NULL;
    j.w = c->in[sum + 1];
    j.b = c->in[sum + 2];
    j.sum = sum ? c->out[0] : NULL;
    j.y = c->out[sum];
    j.stats = (float *)c->out[sum + 1];
    j.images = 1;
    j.tokens = mdm_cuda_rows(c->in_shape[0]);
    j.d = mdm_cuda_last(c->in_shape[0]);
    j.epsilon = (float)c->constant[0];
    j.over = 1.0f / (float)j.d;
    return j;
}

template <int SUM> static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    const struct mdm_cuda_norm j = read_call(c, SUM);

    return mdm_cuda_norm_forward(mdm_cuda_of(b), c->dtype, &j);
}

/* y anew: a row's norm again, of the sum where there is one. */
template <int SUM> static int remake(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda_norm j = read_call(c, SUM);

    if (SUM)
        j.x = j.sum;
    j.r = NULL;
    j.sum = NULL;
    return mdm_cuda_norm_forward(mdm_cuda_of(b), c->dtype, &j);
}

/* Without dy only the sum's own gradient passes, and w and b get none. */
static int pass_sum(struct mdm_cuda *d, const struct mdm_call *c, int sum)
{
    for (int i = 0; sum && c->dout[0] && i < 2; i++)
        if (c->din[i])
            MDM_CUDA_TRY(
                mdm_cuda_pass(d, c->dtype, c->din[i], c->add[i], c->dout[0], mdm_cuda_numel(c->in_shape[0])));
    return mdm_cuda_clear_gradients(d, c, sum && c->dout[0] ? 2 : 0, sum + 2, 3u << (sum + 1));
}

template <int SUM> static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    struct mdm_cuda_norm j = read_call(c, SUM);
    struct mdm_cuda_meet meet = {};

    if (!c->dout[SUM])
        return pass_sum(d, c, SUM);
    j.dy = c->dout[SUM];
    j.more = SUM ? c->dout[0] : NULL;
    j.dx = c->din[0];
    j.add_x = c->add[0];
    j.dr = SUM && (c->add[1] || c->din[1] != c->din[0]) ? c->din[1] : NULL;
    j.add_r = SUM ? c->add[1] : 0;
    j.r = NULL;
    j.parts = mdm_cuda_cut(1, j.tokens);
    meet.part = j.part = c->din[SUM + 1] || c->din[SUM + 2] ? (float *)c->scratch : NULL;
    MDM_CUDA_TRY(mdm_cuda_norm_backward(d, c->dtype, &j));
    if (!j.part)
        return MASKDM_OK;
    meet.parts = j.parts;
    meet.d = j.d;
    meet.sums = 2;
    for (int k = 0; k < 2; k++) {
        meet.dst[k] = (float *)c->din[SUM + 1 + k];
        meet.add[k] = c->add[SUM + 1 + k];
    }
    return mdm_cuda_meet(d, c->dtype, &meet);
}

static size_t scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    const struct mdm_cuda_parts parts = mdm_cuda_cut(1, mdm_cuda_rows(c->in_shape[0]));

    (void)b;
    return train ? mdm_cuda_parts_bytes(&parts, 2, mdm_cuda_last(c->in_shape[0])) : 0;
}

template <int SUM> static void add_norm(struct mdm_kernel *k)
{
    k->forward = forward<SUM>;
    k->backward = backward<SUM>;
    k->scratch = scratch;
    k->remake = remake<SUM>;
}

int mdm_cuda_add_norm(struct mdm_cuda *d)
{
    for (int i = 0; i < 2; i++) {
        add_norm<0>(&d->kernel[i][MDM_OP_LAYERNORM]);
        add_norm<1>(&d->kernel[i][MDM_OP_ADD_NORM]);
    }
    return MASKDM_OK;
}
