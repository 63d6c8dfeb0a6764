/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stands for CUDA's header of this name where kernels are compiled for the CPU (../emulator.h): what the module uses
 * of the language and the runtime, and no more.
 */
#ifndef MASKDM_TESTS_CUDA_RUNTIME_H
#define MASKDM_TESTS_CUDA_RUNTIME_H

#include "mdm_vectors.h"
#include "mdm_emulated.h"
#include "mdm_device.h"
#include "mdm_runtime.h"

#endif
