/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The type of portable kernels. Files that include this are compiled once with MDM_REAL_F64 defined and once
 * without; REAL(name) gives each copy its own external name, real_table its table in struct mdm_cpu.
 */
#ifndef MASKDM_BACKEND_CPU_REAL_H
#define MASKDM_BACKEND_CPU_REAL_H

#include <math.h>

#ifdef MDM_REAL_F64
typedef double real;
#    define REAL(name) name##_f64
#    define real_table f64
#    define real_exp exp
#    define real_exp_top 0x1.62e42fefa39efp+9 /* the largest x whose exp(x) is finite */
#    define real_sqrt sqrt
#    define real_erf erf
#    define real_fabs fabs
#else
typedef float real;
#    define REAL(name) name##_f32
#    define real_table f32
#    define real_exp expf
#    define real_exp_top 0x1.62e42ep+6f
#    define real_sqrt sqrtf
#    define real_erf erff
#    define real_fabs fabsf
#endif

#endif
