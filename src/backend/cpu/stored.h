/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A weight that may be stored in 16 bits, in forward kernels.
 */
#ifndef MASKDM_BACKEND_CPU_STORED_H
#define MASKDM_BACKEND_CPU_STORED_H

#include "backend/cpu/cpu.h"
#include "tensor/half.h"

struct mdm_stored {
    const void *w;
    enum mdm_dtype type; /* MDM_F32: of the kernel's type */
};

static inline float mdm_stored_value(const void *w, enum mdm_dtype type, int64_t i)
{
    const uint16_t half = ((const uint16_t *)w)[i];

    return type == MDM_F16 ? mdm_half_f16(half) : mdm_half_bf16(half);
}

/* From element `at` of it on. */
static inline const void *mdm_stored_at(const struct mdm_stored *s, int64_t at, size_t size)
{
    return (const char *)s->w + (size_t)at * (s->type == MDM_F32 ? size : sizeof(uint16_t));
}

/* The call's weight w[n] as the product takes it, and the bytes of scratch that this needs. */
int mdm_stored_weight(struct mdm_stored *out, struct mdm_cpu *cpu, const struct mdm_call *c, const void *w,
                      int64_t n);
size_t mdm_stored_scratch(const struct mdm_backend *b, const struct mdm_call *c, int64_t n);

#endif
