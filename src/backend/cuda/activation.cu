/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gelu, gelu_tanh, silu and relu, element by element.
 */
#include "backend/cuda/curve.cuh"
#include "backend/cuda/each.cuh"
#include "backend/cuda/parts.cuh"
#include "backend/cuda/table.cuh"

/* in: x, dy, and what is there already */
template <class C> struct uncurve_onto {
    static __device__ __forceinline__ float f(const float *in)
    {
        return fmaf(in[1], C::slope(in[0]), in[2]);
    }
};

template <class T, class C> static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    const mdm_each_in<T, 1> in = {{(const T *)c->in[0]}};

    return mdm_each<T, mdm_curve<C>>(mdm_cuda_of(b), "an activation", (T *)c->out[0], in,
                                     mdm_cuda_numel(c->in_shape[0]));
}

template <class T, class C> static int backward_of(struct mdm_backend *b, const struct mdm_call *c, const void *x)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const int64_t n = mdm_cuda_numel(c->in_shape[0]);
    const T *dy = (const T *)c->dout[0];
    T *dx = (T *)c->din[0];
    const mdm_each_in<T, 2> in = {{(const T *)x, dy}};
    const mdm_each_in<T, 3> onto = {{(const T *)x, dy, dx}};

    if (!dx)
        return MASKDM_OK;
    if (!dy)
        return c->add[0] ? MASKDM_OK : mdm_cuda_clear(d, dx, (size_t)n * sizeof(T));
    if (c->add[0])
        return mdm_each<T, uncurve_onto<C>>(d, "an activation's gradient", dx, onto, n);
    return mdm_each<T, mdm_uncurve<C>>(d, "an activation's gradient", dx, in, n);
}

template <class T, class C> static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    return backward_of<T, C>(b, c, c->in[0]);
}

template <class T> static int relu_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    return backward_of<T, mdm_relu>(b, c, c->out[0]);
}

template <class T, class C> static void add_curve(struct mdm_kernel *k)
{
    k->forward = forward<T, C>;
    k->backward = backward<T, C>;
    k->remake = forward<T, C>;
}

template <class T> static void add_type(struct mdm_kernel *k)
{
    add_curve<T, mdm_gelu<T>>(&k[MDM_OP_GELU]);
    add_curve<T, mdm_gelu_tanh>(&k[MDM_OP_GELU_TANH]);
    add_curve<T, mdm_silu>(&k[MDM_OP_SILU]);
    k[MDM_OP_RELU].forward = forward<T, mdm_relu>;
    k[MDM_OP_RELU].backward = relu_backward<T>;
}

int mdm_cuda_add_activation(struct mdm_cuda *d)
{
    add_type<float>(d->kernel[0]);
    add_type<mdm_bf16>(d->kernel[1]);
    return MASKDM_OK;
}
