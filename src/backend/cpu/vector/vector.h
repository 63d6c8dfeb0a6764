/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Vectors of floats, and half as many doubles, of one instruction set. Files that include this are compiled once for
 * each set, with MDM_SET its name and MDM_SET_... its family, which says whose lanes.h there is; SET(name) gives each
 * copy its own external name. Arithmetic is written with operators, which round each operation by itself.
 *
 * A lanes.h has, with `vec` for mdm_vec:
 *
 *     MDM_LANES, MDM_TILE_ROWS     floats of a vector; rows of the register tile, which is two vectors wide
 *     mdm_vec, mdm_some            a vector; some of its lanes, from the first on
 *     mdm_v_set(x)                 x in every lane
 *     mdm_v_load(p), mdm_v_store(p, vec)
 *     mdm_v_first(n)               the first n lanes, n > 0; all of them from MDM_LANES on
 *     mdm_v_load_some(p, some)     zero in the other lanes, whose memory is not touched
 *     mdm_v_store_some(p, some, vec)
 *     mdm_v_keep(some, vec)        zero in the other lanes
 *     mdm_v_fma(a, b, c)           a b + c rounded once
 *     mdm_v_fms(a, b, c)           a b - c rounded once
 *     mdm_v_max(a, b), mdm_v_min(a, b)   b's NaN stays
 *     mdm_v_sqrt(a), mdm_v_abs(a)
 *     mdm_v_by_sign(x, a, b)       a where x's sign is plus, else b
 *     mdm_v_unless_below(x, bound, y)    0 where x < bound, else y
 *     mdm_v_raise(y, n)            y times 2^n, n the low bits of a float (exp2.h)
 *     mdm_v_sum(a), mdm_v_top(a)   sum in a fixed order, and the largest
 *     mdm_v_load4(p, stride)       four floats of each of MDM_LANES / 4 rows
 *     mdm_v_transpose4(r)          r[4]: each four lanes of the four vectors as a matrix, transposed
 *     mdm_v_twice(p)               a0 a0 a1 a1 ... of the MDM_LANES / 2 floats at p
 *     mdm_v_turn(x, c, s)          x0 c - x1 s, x1 c + x0 s, ... of pairs
 *     mdm_wide, MDM_WIDE_LANES     a vector of doubles; mdm_w_set, _sqrt, _abs, _fma, _max, _min as above
 *     mdm_w_load(p), mdm_w_store(p, wide)   floats in memory
 *     mdm_w_pick(a, b, x, y)       x where a <= b, else y
 *     mdm_w_sum(a)                 in order
 */
#ifndef MASKDM_BACKEND_CPU_VECTOR_VECTOR_H
#define MASKDM_BACKEND_CPU_VECTOR_VECTOR_H

#include <stdint.h>

#ifdef MDM_SET_AVX2
#    include "backend/cpu/avx2/lanes.h"
#endif
#ifdef MDM_SET_AVX512
#    include "backend/cpu/avx512/lanes.h"
#endif
#ifdef MDM_SET_NEON
#    include "backend/cpu/neon/lanes.h"
#endif

#define MDM_SET_JOIN(name, set) name##_##set
#define MDM_SET_NAME(name, set) MDM_SET_JOIN(name, set)
#define SET(name) MDM_SET_NAME(name, MDM_SET)

enum { MDM_TILE_COLUMNS = 2 * MDM_LANES };

/* The columns of a tile: how many vectors, and the lanes of the last one, where it is not whole. */
struct mdm_across {
    int vectors, ragged;
    mdm_some last;
};

/* a + b of the type that a and b have, which their sum has not to every compiler. */
static inline mdm_vec mdm_v_plus(mdm_vec a, mdm_vec b)
{
    return a + b;
}

#endif
