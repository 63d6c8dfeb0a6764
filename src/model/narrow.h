/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A block of weights on its way into a file: as it is, or rounded to 16 bits as it is read. What writers are told of
 * is then a block of half the size that begins where the true one does, so that they can count in bytes of the file.
 */
#ifndef MASKDM_MODEL_NARROW_H
#define MASKDM_MODEL_NARROW_H

#include "model/model.h"
#include "model/rounding.h"
#include "tensorfile/tensorfile.h"

struct mdm_narrow {
    struct mdm_tensorfile_source source; /* for the writer */
    const char *dtype;                   /* what it is told */
    maskdm_device *device;
    const char *block;
    const struct mdm_rounding *rounding; /* NULL: as it is */
    float *piece; /* and behind it what that is rounded to */
};

/* dtype i that a file may have: "F32", "F16", "BF16". */
const char *mdm_narrow_dtype(int i);
int mdm_narrow_begin(struct mdm_narrow *n, maskdm_device *device, const float *block, int dtype);
void mdm_narrow_end(struct mdm_narrow *n);
/* Element `at` of the block, for the writer. */
const void *mdm_narrow_place(const struct mdm_narrow *n, size_t at);
/* MASKDM_EINVAL, naming the tensor and the value, where one does not fit. */
int mdm_narrow_check(const struct mdm_narrow *n, const struct mdm_params *layout);
/* Add tensor PREFIX + NAME of every parameter to a writer, which borrows all of it until it has saved. */
int mdm_narrow_write(const struct mdm_narrow *n, struct mdm_safetensors_writer *w, const struct mdm_params *layout,
                     const char *prefix);

#endif
