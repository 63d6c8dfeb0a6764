/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The bent functions of networks and their slopes. What is fast about them costs a few of float's last bits; gelu of
 * a program of bf16 is exact to a hundredth of that type's rounding.
 */
#ifndef MASKDM_BACKEND_CUDA_CURVE_CUH
#define MASKDM_BACKEND_CUDA_CURVE_CUH

#include "backend/cuda/fast.cuh"

/* 1/(1 + exp(-x)) */
static __device__ __forceinline__ float mdm_sigmoid(float x)
{
    return mdm_inverse(1.0f + mdm_exp(-x));
}

struct mdm_silu {
    static __device__ __forceinline__ float value(float x)
    {
        return x * mdm_sigmoid(x);
    }
    static __device__ __forceinline__ float slope(float x)
    {
        const float s = mdm_sigmoid(x);

        return s * (1.0f + x * (1.0f - s));
    }
};

/* The normal distribution's Phi(x), and exp(-x^2/2) in *bell. */
template <class T> static __device__ __forceinline__ float mdm_phi(float *bell, float x)
{
    *bell = mdm_exp(-0.5f * x * x);
    return 0.5f * (1.0f + erff(x * 0.70710678f));
}

/* Phi(-a) exp(a^2/2) / t as a polynomial of t = 1/(1 + 0.325 a), to 1.8e-5 of itself for every a >= 0. */
template <> __device__ __forceinline__ float mdm_phi<mdm_bf16>(float *bell, float x)
{
    const float t = mdm_inverse(fmaf(0.325f, fabsf(x), 1.0f)), e = mdm_exp2(-0.72134752f * x * x);
    float tail = -0.0631723463f;

    tail = fmaf(tail, t, 0.121377846f);
    tail = fmaf(tail, t, 0.0624871735f);
    tail = fmaf(tail, t, 0.120239492f);
    tail = fmaf(tail, t, 0.129406137f);
    tail = fmaf(tail, t, 0.129658537f);
    tail *= t * e;
    *bell = e;
    return x < 0.0f ? tail : 1.0f - tail;
}

template <class T> struct mdm_gelu {
    static __device__ __forceinline__ float value(float x)
    {
        float bell;

        return x * mdm_phi<T>(&bell, x);
    }
    static __device__ __forceinline__ float slope(float x)
    {
        float bell, phi = mdm_phi<T>(&bell, x);

        return fmaf(0.39894228f * x, bell, phi);
    }
};

/* With z = 2 sqrt(2/pi) (x + c x^3): the gate s = (1 + tanh z/2)/2 = 1/(1 + exp(-z)), and x s' in *bend. Beyond 64 s
 * is 0 or 1 and bend 0, so that the cube stays in range. */
static __device__ __forceinline__ float mdm_tanh_gate(float *bend, float x)
{
    const float near = x < -64.0f ? -64.0f : x > 64.0f ? 64.0f : x, square = 0.044715f * near * near;
    const float z = 1.59576912f * near, e = mdm_exp(-fabsf(z * (1.0f + square))), s = mdm_inverse(1.0f + e);

    *bend = z * (1.0f + 3.0f * square) * e * s * s;
    return z < 0.0f ? e * s : s;
}

struct mdm_gelu_tanh {
    static __device__ __forceinline__ float value(float x)
    {
        float bend;

        return x * mdm_tanh_gate(&bend, x);
    }
    static __device__ __forceinline__ float slope(float x)
    {
        float bend, s = mdm_tanh_gate(&bend, x);

        return s + bend;
    }
};

/* The slope where x is what came out: that is above 0 where what went in was. */
struct mdm_relu {
    static __device__ __forceinline__ float value(float x)
    {
        return x > 0.0f ? x : 0.0f;
    }
    static __device__ __forceinline__ float slope(float x)
    {
        return x > 0.0f ? 1.0f : 0.0f;
    }
};

/* Of mdm_each(): C of x; and dy times its slope, of x and dy. */
template <class C> struct mdm_curve {
    static __device__ __forceinline__ float f(const float *in)
    {
        return C::value(in[0]);
    }
};
template <class C> struct mdm_uncurve {
    static __device__ __forceinline__ float f(const float *in)
    {
        return in[1] * C::slope(in[0]);
    }
};

#endif
