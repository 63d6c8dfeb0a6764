/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The device.
 */
#include "backend/options.h"

#include "base/error.h"

#include <math.h>

const enum mdm_dtype mdm_weight_types[] = {MDM_F32, MDM_BF16, MDM_F16};

static const struct mdm_option device_rows[] = {
    {MDM_OPTION(mdm_device_options, threads),
     .standard = "0",
     .min = 0,
     .max = 1024,
     .alias = "num_threads|n_threads|cpus|num_cpus|cores|num_cores|jobs|j",
     .help = "threads that compute, with the caller; 0: one per core that affinity and CPU quota leave",
     .may_change = 1},
    {MDM_OPTION(mdm_device_options, memory_limit),
     .standard = "0",
     .min = 0,
     .max = INFINITY,
     .unit = "bytes",
     .alias = "memory|max_memory|mem|mem_limit|ram",
     .help = "most memory that handles of the device may hold; 0: no limit",
     .may_change = 1},
    {MDM_CHOICE(mdm_device_options, blas_threads),
     .standard = "guard",
     .choices = "guard|leave",
     .help = "keep the BLAS library to one thread per worker, or leave it as it is"},
    {MDM_CHOICE(mdm_device_options, instruction_set),
     .standard = "auto",
     .named = mdm_instruction_set,
     .alias = "isa|simd|cpu_flags",
     .help = "kernels to use"},
    {MDM_CHOICE(mdm_device_options, compute),
     .standard = "auto",
     .choices = "auto|float32|tf32|bfloat16",
     .alias = "precision|dtype|mixed_precision|amp|torch_dtype|fp16|bf16",
     .help = "type that networks compute in, with weights, sums and optimizer in float32; auto: float32 on a CPU, "
             "bfloat16 on a GPU; tf32: float32 whose products have 10 bits",
     .may_change = 1},
    {MDM_CHOICE(mdm_device_options, weight_type),
     .standard = "float32",
     .choices = "float32|bfloat16|float16",
     .alias = "weight_dtype|weights_dtype|weights_type|half",
     .help = "type that the matrices of models lie in memory in, on a CPU; those of 16 bits are half as large, and "
             "for predictions alone: nothing is trained",
     .may_change = 1},
    {MDM_CHOICE(mdm_device_options, recompute),
     .standard = "auto",
     .choices = "auto|yes|no",
     .alias = "gradient_checkpointing|activation_checkpointing|checkpointing|remat|recomputation",
     .help = "make activations and norms again in backward, which takes less memory and more time; auto: on a CPU",
     .may_change = 1},
    {MDM_OPTION(mdm_device_options, module),
     .standard = "",
     .alias = "plugin|cuda_module|library",
     .help = "file of the device's module; empty: where it is installed",
     .is_path = 1,
     .may_change = 1},
};
const struct mdm_option_table mdm_device_options = {
    "device", "", "device and its threads", device_rows, MDM_LENGTH(device_rows),
    sizeof(struct mdm_device_options)};

static const struct mdm_option_table *const device_tables[] = {&mdm_device_options};
const struct mdm_option_kind mdm_device_kind = {"device", "device and its threads", device_tables, 1, NULL};
